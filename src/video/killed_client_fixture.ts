/** A client that a test kills: tells when its first frame has come, and waits for more. */
const [how, id] = process.argv.slice(2);
const url = new URL(`/api/v1/video/session/${id}/propagate`, process.env.SERVER_URL);

function told(): void {
  process.stdout.write('frame\n');
}

if (how === 'socket') {
  const place = new URL(`/api/v1/video/ws/propagate/${id}`, url).href.replace(/^http/, 'ws');
  const socket = new WebSocket(place);
  socket.onopen = () => socket.send('{}');
  socket.onmessage = told;
} else {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ stream: how === 'lines' });
  const response = await fetch(url, { method: 'POST', headers, body });
  for await (const _ of response.body ?? []) told();
}

export {};
