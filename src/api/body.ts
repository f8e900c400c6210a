import { HttpError } from './errors.ts';
import { Gate } from './gate.ts';

/** Bodies that are read at a time; each may be as large as the limit. */
const READING = 32;
const WAITING = 256;

/** Reads bodies up to a limit, a bounded number at a time. */
export class BodyReader {
  private readonly gate = new Gate(READING, WAITING);

  constructor(private readonly maxBytes: number) {}

  /** @throws HttpError 413 past the limit, 415 for another type, 400 when it does not parse */
  read(request: Request): Promise<Record<string, unknown>> {
    return this.gate.run(() => readFields(request, this.maxBytes));
  }

  /** The bytes as they are. @throws HttpError 413 past the limit, 400 when they do not arrive */
  bytes(request: Request): Promise<Uint8Array<ArrayBuffer>> {
    return this.gate.run(() => readBody(request, this.maxBytes));
  }
}

/**
 * Reads a request's fields from JSON or `multipart/form-data`. In a form, files stay
 * files, and other fields are read as JSON where they are JSON (`518`, `true`,
 * `{"fx": …}`), else as text.
 */
async function readFields(request: Request, maxBytes: number): Promise<Record<string, unknown>> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();
  if (type === 'multipart/form-data') return formFields(request, maxBytes);
  if (type === 'application/json' || type === '')
    return jsonFields(await readBody(request, maxBytes));
  throw new HttpError(
    415,
    `Content-Type is ${type}; expected application/json or multipart/form-data`,
  );
}

function jsonFields(body: Uint8Array): Record<string, unknown> {
  let fields: unknown;
  try {
    fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new HttpError(400, `the body is not JSON: ${(error as Error).message}`);
  }
  if (fields === null || typeof fields !== 'object' || Array.isArray(fields)) {
    throw new HttpError(422, 'the body: expected a JSON object');
  }
  return fields as Record<string, unknown>;
}

async function formFields(request: Request, maxBytes: number): Promise<Record<string, unknown>> {
  const body = await readBody(request, maxBytes);
  const headers = { 'content-type': request.headers.get('content-type') ?? '' };
  const form = await new Response(body, { headers }).formData().catch((error: Error) => {
    throw new HttpError(400, `the body is not multipart/form-data: ${error.message}`);
  });
  const fields: Record<string, unknown> = Object.create(null);
  for (const [name, value] of form.entries()) {
    if (name in fields) throw new HttpError(422, `${name}: given twice in the form`);
    fields[name] = typeof value === 'string' ? parseField(name, value) : value;
  }
  return fields;
}

/** Fields that are text, though they might look like a number: base64, URLs, paths and names. */
const TEXTS = new Set([
  'image',
  'image_url',
  'model',
  'video_base64',
  'video_url',
  'video_path',
  'session_id',
]);

function parseField(name: string, value: string): unknown {
  if (TEXTS.has(name)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** The whole body, counted while it arrives: `Content-Length` may be absent or wrong. */
async function readBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readWhole(request, maxBytes);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    // Its sender went away, which is no failure of ours.
    throw new HttpError(400, `the body did not arrive in full: ${(error as Error).message}`);
  }
}

async function readWhole(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const declared = Number(request.headers.get('content-length') ?? Number.NaN);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  if (Number.isFinite(declared)) return new Uint8Array(await request.arrayBuffer());
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(
    413,
    `the body is larger than ${maxBytes / 2 ** 20} MiB: send a smaller file, or raise --max-upload-mb`,
  );
}
