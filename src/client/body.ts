/** Fields that the server takes from a form as they stand. */
const TEXTS = [
  'image',
  'image_url',
  'model',
  'video_base64',
  'video_url',
  'video_path',
  'session_id',
];

/** What is posted: JSON, or a form where a field is a file, which is smaller. */
export function post(fields: object): { method: 'POST'; body: string | FormData } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  if (!given.some(([, value]) => value instanceof Blob)) {
    return { method: 'POST', body: JSON.stringify(fields) };
  }
  const form = new FormData();
  for (const [name, value] of given) {
    // The server reads the other fields as JSON where they are JSON.
    const isPlain = value instanceof Blob || TEXTS.includes(name);
    form.set(name, isPlain ? value : JSON.stringify(value));
  }
  return { method: 'POST', body: form };
}
