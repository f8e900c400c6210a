import { afterAll, beforeAll, expect, setDefaultTimeout } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, test } from '../../test/video_library.ts';
import type { StatusAnswer, StreamMessage } from './answers.ts';
import { type VideoServer, videoServer } from './server_fixture.ts';
import { connect, socketUrl } from './socket_fixture.ts';

// A whole server starts, and may share its processors.
setDefaultTimeout(60_000);

const FRAMES = 40;
const CLICK = { type: 'point', points: [[0.5, 0.5]], point_labels: [1] };
const LARGE = 'large';
const KILLED = fileURLToPath(import.meta.resolve('./killed_client_fixture.ts'));

let server: VideoServer;
let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'triptych-video-root-'));
  await largeFrames(join(root, LARGE));
  server = await videoServer({ videoRoot: root, maxConcurrentSessions: '20' });
});
afterAll(async () => {
  await server.stop();
  rmSync(root, { recursive: true });
});

/** Frames whose masks are megabytes as polygons, so that buffers between two sockets fill up. */
async function largeFrames(folder: string): Promise<void> {
  mkdirSync(folder);
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 };
  const create = { width: 1280, height: 720, channels: 3 as const, background: '#000', noise };
  const file = await sharp({ create }).jpeg({ quality: 40 }).toBuffer();
  for (let i = 0; i < FRAMES; i++) await Bun.write(join(folder, `${i}.jpg`), file);
}

async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await server.send(path, 'POST', body);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

async function session(id: string, objects = 1): Promise<string> {
  await post('/session/start', { video_path: LARGE, session_id: id });
  const prompts = Array(objects).fill(CLICK);
  await post(`/session/${id}/prompt`, { frame_index: 0, prompts });
  return id;
}

async function status(id: string): Promise<StatusAnswer> {
  const response = await server.send(`/session/${id}/status`, 'GET');
  return (await response.json()) as StatusAnswer;
}

async function becomesReady(id: string): Promise<StatusAnswer> {
  for (;;) {
    const now = await status(id);
    if (now.status === 'ready') return now;
    await Bun.sleep(10);
  }
}

/** Frames processed, once their number stays the same. */
async function stands(id: string): Promise<number> {
  let last = -1;
  for (let times = 0; times < 3; ) {
    const { frames_processed: now } = await status(id);
    times = now > 0 && now === last ? times + 1 : 0;
    last = now;
    await Bun.sleep(400);
  }
  return last;
}

const kinds = (messages: readonly StreamMessage[]) =>
  messages.map((one) => (one.type === 'frame' ? one.frame_index : one.type));

describe('on one connection', () => {
  test('requests are answered in turn, each with frames and complete', async () => {
    const client = await connect(server, await session('turns'));
    client.send({ direction: 'forward', start_frame_index: 0, max_frames: 3 });
    client.send({ direction: 'both', start_frame_index: 2, max_frames: 2 });
    expect(kinds(await client.rest())).toEqual([0, 1, 2, 'complete']);
    const second = await client.rest();
    expect(kinds(second)).toEqual([2, 3, 1, 'complete']);
    expect(second.at(-1)).toEqual({ type: 'complete', total_frames: 3 });
    client.send({ direction: 'backward', start_frame_index: 1, max_frames: null });
    expect(kinds(await client.rest())).toEqual([1, 0, 'complete']);
    client.close();
  });

  test('wrong requests are told, and the next one is answered', async () => {
    const client = await connect(server, await session('wrong'));
    const errorOf = async (message: unknown) => {
      client.send(message);
      const answer = await client.next();
      return answer.type === 'error' ? answer.error : answer;
    };
    expect(await errorOf({ direction: 'sideways' })).toStartWith(
      'direction: expected one of forward, backward, both, given "sideways"',
    );
    expect(await errorOf({ start_frame_index: FRAMES })).toStartWith(
      `start_frame_index: expected a frame from 0 to ${FRAMES - 1}, given ${FRAMES}`,
    );
    expect(await errorOf({ start_frame_index: -1 })).toStartWith('start_frame_index: expected');
    expect(await errorOf({ max_frames: 0 })).toStartWith('max_frames: expected');
    expect(await errorOf({ track_new: true })).toStartWith('track_new: session wrong has no text');
    expect(await errorOf('{"direction": ')).toStartWith('expected a JSON object');
    expect(await errorOf('[1]')).toStartWith('expected a JSON object');
    expect(await errorOf({ type: 'start' })).toStartWith('type: expected cancel');
    client.send({ max_frames: 1 });
    expect(kinds(await client.rest())).toEqual([0, 'complete']);
    client.close();
  });

  test('cancel ends it after the frame that is being worked on', async () => {
    const client = await connect(server, await session('cancel'));
    client.send({ direction: 'forward' });
    await client.next();
    client.send({ type: 'cancel' });
    const messages = await client.rest();
    const end = messages.at(-1);
    expect(end).toMatchObject({ type: 'complete', cancelled: true });
    expect(messages.length).toBeLessThan(FRAMES);
    expect(end?.type === 'complete' && end.total_frames).toBe(messages.length);
    expect((await status('cancel')).status).toBe('ready');
    // None runs: nothing to cancel, and nothing to say.
    client.send({ type: 'cancel' });
    client.send({ max_frames: 1 });
    expect(kinds(await client.rest())).toEqual([0, 'complete']);
    client.close();
  });

  test('pause holds it until resume, or cancel; on its end it is forgotten', async () => {
    const client = await connect(server, await session('pause'));
    client.send({ direction: 'forward' });
    await client.next();
    client.send({ type: 'pause' });
    const stood = await stands('pause');
    expect(stood).toBeLessThan(FRAMES);
    expect((await status('pause')).status).toBe('processing');
    client.send({ type: 'resume' });
    const messages = await client.rest();
    const others = Array.from({ length: FRAMES - 1 }, (_, i) => i + 1);
    expect(kinds(messages)).toEqual([...others, 'complete']);
    client.send({ direction: 'forward' });
    await client.next();
    client.send({ type: 'pause' });
    await stands('pause');
    client.send({ type: 'cancel' });
    expect((await client.rest()).at(-1)).toMatchObject({ type: 'complete', cancelled: true });
    client.send({ type: 'pause' });
    client.send({ max_frames: 2, direction: 'forward' });
    expect(kinds(await client.rest())).toEqual([0, 1, 'complete']);
    client.close();
  });

  test('a session without objects, one that is closed on the way, and one that is not there', async () => {
    await post('/session/start', { video_path: LARGE, session_id: 'empty' });
    const empty = await connect(server, 'empty');
    empty.send({});
    expect(await empty.next()).toEqual({
      type: 'error',
      error: 'session empty has no object to follow: give it a prompt first',
    });
    empty.close();

    const doomed = await connect(server, await session('doomed'));
    doomed.send({});
    await doomed.next();
    expect((await server.send('/session/doomed', 'DELETE')).status).toBe(200);
    expect((await doomed.rest()).at(-1)).toEqual({
      type: 'error',
      error: 'session doomed was closed',
    });
    doomed.close();

    const unknown = await connect(server, 'nobody');
    const closed = new Promise<CloseEvent>((resolve) => {
      unknown.socket.onclose = resolve;
    });
    expect(await unknown.next()).toEqual({
      type: 'error',
      error: 'there is no session "nobody"',
    });
    unknown.send({ direction: 'forward' });
    expect((await closed).code).toBe(1008);
  });

  test('two connections do not propagate one session at once', async () => {
    const one = await connect(server, await session('both'));
    const other = await connect(server, 'both');
    one.send({});
    await one.next();
    other.send({});
    expect(await other.next()).toMatchObject({ type: 'error' });
    one.send({ type: 'cancel' });
    await one.rest();
    other.send({ max_frames: 1 });
    expect(kinds(await other.rest())).toEqual([0, 'complete']);
    one.close();
    other.close();
  });
});

test('a failure on the way is told, in whatever form, and the session stays ready', async () => {
  const folder = join(root, 'broken');
  cpSync(join(root, LARGE), folder, { recursive: true });
  await post('/session/start', { video_path: 'broken', session_id: 'broken' });
  await post('/session/broken/prompt', { frame_index: 0, prompts: [CLICK] });
  await Bun.write(join(folder, '3.jpg'), 'no picture any more');
  const client = await connect(server, 'broken');
  client.send({});
  const messages = await client.rest();
  expect(kinds(messages)).toEqual([0, 1, 2, 'error']);
  expect(messages.at(-1)).toMatchObject({ error: expect.stringContaining('frame 3') });
  expect((await status('broken')).status).toBe('ready');
  const whole = await server.send('/session/broken/propagate', 'POST', {});
  expect(whole.status).toBe(422);
  const lines = await server.send('/session/broken/propagate', 'POST', { stream: true });
  expect(lines.status).toBe(200);
  expect((await lines.text()).trimEnd().split('\n').at(-1)).toStartWith('{"type":"error"');
  // Frames after it can be asked for.
  client.send({ start_frame_index: 4, max_frames: 2, direction: 'forward' });
  expect(kinds(await client.rest())).toEqual([4, 5, 'complete']);
  client.close();
});

/** A WebSocket over a bare connection, which reads when it is told to. */
async function bareSocket(id: string): Promise<Socket> {
  const { hostname, port, pathname } = new URL(socketUrl(server, id));
  const socket = connectTcp(Number(port), hostname);
  const key = Buffer.from('0123456789abcdef').toString('base64');
  socket.write(
    `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  const text = Buffer.from(JSON.stringify({ direction: 'forward', mask_format: 'polygons' }));
  // A text frame of fewer than 126 bytes, masked with zeros.
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
  return socket;
}

describe('back-pressure', () => {
  test('a reader that stops reading stops the propagation; reading on finishes it', async () => {
    const id = await session('slow', 4);
    const socket = await bareSocket(id);
    const stood = await stands(id);
    expect(stood).toBeLessThan(FRAMES);
    expect((await status(id)).status).toBe('processing');
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    socket.resume();
    expect((await becomesReady(id)).frames_processed).toBe(FRAMES);
    // What would otherwise have been held for the reader.
    expect(bytes).toBeGreaterThan(16e6);
    socket.destroy();
  });

  test('a connection that is torn while it is stopped sets the session free', async () => {
    const id = await session('torn', 4);
    const socket = await bareSocket(id);
    const stood = await stands(id);
    socket.destroy();
    const { frames_processed } = await becomesReady(id);
    expect(frames_processed).toBeLessThanOrEqual(stood + 1);
  });

  test('NDJSON is made no faster than it is read', async () => {
    const id = await session('lines', 4);
    const { hostname, port } = server.url;
    const socket = connectTcp(Number(port), hostname);
    socket.pause();
    const body = JSON.stringify({ direction: 'forward', stream: true, mask_format: 'polygons' });
    socket.write(
      `POST /api/v1/video/session/${id}/propagate HTTP/1.1\r\nHost: ${hostname}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const stood = await stands(id);
    expect(stood).toBeLessThan(FRAMES);
    socket.destroy();
    const { frames_processed } = await becomesReady(id);
    expect(frames_processed).toBeLessThanOrEqual(stood + 1);
  });
});

describe('a client that goes away', () => {
  test('a closed socket stops the propagation within a frame and leaves the session ready', async () => {
    const client = await connect(server, await session('gone'));
    client.send({ direction: 'forward' });
    await client.next();
    client.socket.terminate();
    const { frames_processed: at } = await becomesReady('gone');
    expect(at).toBeLessThan(FRAMES);
    await Bun.sleep(200);
    expect((await status('gone')).frames_processed).toBe(at);
  });

  test.each(['socket', 'lines', 'whole'])('kill -9 of a process: %s', async (how) => {
    const id = await session(`killed-${how}`);
    const client = Bun.spawn([process.execPath, KILLED, how, id], {
      env: { ...process.env, SERVER_URL: server.url.href },
      stdout: 'pipe',
      stderr: 'inherit',
    });
    if (how === 'whole') while ((await status(id)).frames_processed < 2) await Bun.sleep(5);
    else await client.stdout.getReader().read();
    client.kill('SIGKILL');
    await client.exited;
    const { frames_processed: at, current_objects } = await becomesReady(id);
    expect(at).toBeLessThan(FRAMES);
    expect(current_objects).toBe(1);
    await post(`/session/${id}/prompt`, { frame_index: 1, prompts: [CLICK] });
  });
});

describe('keys', () => {
  const key = 'key/with=signs+more';
  let guarded: VideoServer;
  beforeAll(async () => {
    guarded = await videoServer({ apiKey: key });
  });
  afterAll(() => guarded.stop());

  test('the upgrade takes a header, or a subprotocol as pages can give it', async () => {
    const carrier = `bearer.${Buffer.from(key).toString('base64url')}`;
    for (const options of [
      { headers: { authorization: `Bearer ${key}` } },
      ['triptych', carrier],
    ]) {
      const client = await connect(guarded, 'nobody', options);
      expect(await client.next()).toMatchObject({ type: 'error' });
      if (Array.isArray(options)) expect(client.socket.protocol).toBe('triptych');
      client.close();
    }
  });

  test('without one, or with a wrong one, there is no upgrade', async () => {
    const wrong = `bearer.${Buffer.from('other').toString('base64url')}`;
    await expect(connect(guarded, 'nobody')).rejects.toThrow('did not open');
    await expect(connect(guarded, 'nobody', ['triptych', wrong])).rejects.toThrow('did not open');
    const upgrade = { upgrade: 'websocket', connection: 'Upgrade' };
    const response = await fetch(new URL('/api/v1/video/ws/propagate/x', guarded.url), {
      headers: {
        ...upgrade,
        'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
        'sec-websocket-version': '13',
      },
    });
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ detail: 'API key required' });
    // The subprotocol is for sockets alone.
    const plain = await guarded.send('/sessions', 'GET', undefined, {
      'sec-websocket-protocol': `bearer.${Buffer.from(key).toString('base64url')}`,
    });
    expect(plain.status).toBe(401);
  });
});

test('pages of other origins may connect where they may call', async () => {
  const open = await videoServer({ corsOrigins: 'https://lab.example' });
  const origin = (value: string) => ({ headers: { origin: value } });
  for (const allowed of ['https://lab.example', open.url.origin]) {
    const client = await connect(open, 'nobody', origin(allowed));
    expect(await client.next()).toMatchObject({ type: 'error' });
    client.close();
  }
  for (const refused of ['https://other.example', 'null']) {
    await expect(connect(open, 'nobody', origin(refused))).rejects.toThrow('did not open');
  }
  await open.stop();
});
