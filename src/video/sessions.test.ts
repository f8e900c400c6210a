import { afterEach, expect, setDefaultTimeout } from 'bun:test';
import { existsSync } from 'node:fs';
import sharp from 'sharp';
import { describe, test, testIf } from '../../test/video_library.ts';
import type { PropagateAnswer, StatusAnswer } from './answers.ts';
import { type VideoServer, videoServer } from './server_fixture.ts';
import { connect } from './socket_fixture.ts';

// A whole server starts, and may share its processors.
setDefaultTimeout(60_000);

const CLIP = { video_path: 'h264.mp4' };
const CLICK = { type: 'point', points: [[0.5, 0.6]], point_labels: [1] };
const PROMPT = { frame_index: 0, prompts: [CLICK] };

let server: VideoServer;
afterEach(() => server.stop());

async function answer<T>(path: string, method: string, body?: unknown): Promise<T> {
  const response = await server.send(path, method, body);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

const start = (id: string) => answer('/session/start', 'POST', { ...CLIP, session_id: id });

async function plain<T>(path: string): Promise<T> {
  return (await (await fetch(new URL(path, server.url))).json()) as T;
}

describe('how many', () => {
  test('one more than MAX_CONCURRENT_SESSIONS: 503 with Retry-After, before its body is read', async () => {
    server = await videoServer({ maxConcurrentSessions: '2' });
    await start('one');
    await start('two');
    // Not even JSON: it is not looked at.
    const refused = await server.send('/session/start', 'POST', 'no JSON');
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(((await refused.json()) as { detail: string }).detail).toStartWith('2 video sessions');
    expect(await plain<object>('/health')).toMatchObject({ active_sessions: 2 });
    await answer('/session/one', 'DELETE');
    await start('three');
  });

  test('at the same time as well', async () => {
    server = await videoServer({ maxConcurrentSessions: '3' });
    const started = await Promise.all(
      Array.from({ length: 9 }, () => server.send('/session/start', 'POST', CLIP)),
    );
    expect(started.map(({ status }) => status).sort()).toEqual([
      ...[200, 200, 200],
      ...Array<number>(6).fill(503),
    ]);
  });

  test('200 sessions one after another: the memory of the device returns', async () => {
    server = await videoServer({ maxConcurrentSessions: '3' });
    const held = async () =>
      (await plain<{ image_model: { memory_mb: number } }>('/models/info')).image_model.memory_mb;
    const used: number[] = [];
    const freed: number[] = [];
    let warm = 0;
    for (let i = 0; i < 200; i++) {
      await start('again');
      await answer('/session/again/prompt', 'POST', PROMPT);
      await answer('/session/again/propagate', 'POST', { max_frames: 2 });
      used.push((await answer<StatusAnswer>('/session/again/status', 'GET')).gpu_memory_used_mb);
      freed.push(
        (await answer<{ memory_freed_mb: number }>('/session/again', 'DELETE')).memory_freed_mb,
      );
      if (i === 10) warm = await held();
    }
    expect(used[0]).toBeGreaterThan(0);
    // Each has as much as the first, and gives it back.
    expect(new Set(used)).toEqual(new Set([used[0]]));
    expect(freed).toEqual(used);
    expect(await held()).toBe(warm);
    const metrics = await (await fetch(new URL('/metrics', server.url))).text();
    expect(metrics).toContain('\ntriptych_session_bytes 0\n');
    expect(await plain<object>('/health')).toMatchObject({ active_sessions: 0 });
  }, 120_000);
});

describe('how long', () => {
  test('one without a request is closed; one that is asked about, or propagates, is not', async () => {
    server = await videoServer({ sessionTimeoutSeconds: '1' });
    const file = Bun.file(new URL('../../test/fixtures/video/h264.mp4', import.meta.url));
    const video_base64 = Buffer.from(await file.arrayBuffer()).toString('base64');
    await answer('/session/start', 'POST', { video_base64, session_id: 'idle' });
    await start('asked');
    const until = performance.now() + 2500;
    while (performance.now() < until) {
      await answer('/session/asked/status', 'GET');
      await Bun.sleep(200);
    }
    const gone = await server.send('/session/idle/status', 'GET');
    expect(gone.status).toBe(404);
    expect(((await gone.json()) as { detail: string }).detail).toContain(
      'had no request for 1 s and was closed',
    );
    expect(server.uploadedFiles()).toEqual([]);
    await answer('/session/asked/status', 'GET');
  });

  test('stopping the server removes uploaded files', async () => {
    server = await videoServer();
    const file = Bun.file(new URL('../../test/fixtures/video/h264.mp4', import.meta.url));
    const form = new FormData();
    form.set('video', file);
    expect((await server.send('/session/start', 'POST', form)).status).toBe(200);
    expect(server.uploadedFiles()).toHaveLength(1);
    await server.stop();
    expect(server.uploadedFiles()).toEqual([]);
    server = await videoServer();
  });
});

test('an engine that is replaced puts its sessions into error; they can be closed', async () => {
  server = await videoServer({ watchdogSeconds: '1', maxImageMegapixels: '81' });
  await start('lost');
  await answer('/session/lost/prompt', 'POST', PROMPT);
  // 64 masks of 81 million pixels: more than the engine's second.
  const create = { width: 9000, height: 9000, channels: 3 as const, background: '#234' };
  const image = (await sharp({ create }).png().toBuffer()).toString('base64');
  const masks = await fetch(new URL('/api/v1/image/segment', server.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ image, prompts: Array(64).fill(CLICK), confidence_threshold: 0 }),
  });
  expect(masks.status).toBe(503);
  const status = await answer<StatusAnswer>('/session/lost/status', 'GET');
  expect(status.status).toBe('error');
  expect(status.error).toContain('stopped and was replaced');
  const refused = await server.send('/session/lost/propagate', 'POST', {});
  expect(refused.status).toBe(503);
  const closed = await answer<{ memory_freed_mb: number }>('/session/lost', 'DELETE');
  expect(closed.memory_freed_mb).toBe(status.gpu_memory_used_mb);
});

test('fairness: an image request waits for at most about a frame of a propagation', async () => {
  server = await videoServer();
  await start('long');
  await answer('/session/long/prompt', 'POST', { frame_index: 0, prompts: Array(8).fill(CLICK) });
  const client = await connect(server, 'long');
  const create = { width: 32, height: 24, channels: 3 as const, background: '#345' };
  const image = (await sharp({ create }).png().toBuffer()).toString('base64');
  const segment = async () => {
    const response = await fetch(new URL('/api/v1/image/segment', server.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ image, prompts: [CLICK] }),
    });
    expect(response.status).toBe(200);
  };
  await segment();
  const done = async () =>
    (await answer<StatusAnswer>('/session/long/status', 'GET')).frames_processed;
  client.send({ direction: 'forward' });
  await client.next();
  const passed: number[] = [];
  for (let i = 0; i < 5; i++) {
    const before = await done();
    await segment();
    passed.push((await done()) - before);
  }
  expect((await answer<StatusAnswer>('/session/long/status', 'GET')).status).toBe('processing');
  // The frame that was being worked on, and those that fell between the questions.
  expect(Math.max(...passed)).toBeLessThanOrEqual(3);
  client.send({ type: 'cancel' });
  await client.rest();
  client.close();
});

describe('a server that takes no video', () => {
  test('VIDEO_MODEL_ENABLED=false: 503 with what to do, on all routes', async () => {
    server = await videoServer({ videoModelEnabled: 'false' });
    for (const [path, method] of [
      ['/session/start', 'POST'],
      ['/session/x/prompt', 'POST'],
      ['/session/x/propagate', 'POST'],
      ['/session/x/status', 'GET'],
      ['/session/x/object/1', 'DELETE'],
      ['/session/x/reset', 'POST'],
      ['/session/x', 'DELETE'],
      ['/sessions', 'GET'],
    ] as const) {
      const response = await server.send(path, method);
      expect({ path, status: response.status }).toEqual({ path, status: 503 });
      expect(((await response.json()) as { detail: string }).detail).toContain(
        'VIDEO_MODEL_ENABLED',
      );
    }
    await expect(connect(server, 'x')).rejects.toThrow('did not open');
  });

  test('no installed model with the graphs: 503 that says what to do', async () => {
    const pictures = new URL('../../test/fixtures/segment-parity', import.meta.url).pathname;
    server = await videoServer({ sam3Checkpoint: pictures, strictModels: 'true' });
    const response = await server.send('/session/start', 'POST', CLIP);
    expect(response.status).toBe(503);
    const { detail } = (await response.json()) as { detail: string };
    expect(detail).toContain('memory-attention.onnx');
    expect(detail).toContain('SAM3_CHECKPOINT');
  });
});

test('a model without texts follows what is clicked, and says that it takes no texts', async () => {
  server = await videoServer({}, ['text-encoder.onnx', 'concept-decoder.onnx']);
  await start('clicks');
  const texts = { frame_index: 0, prompts: [{ type: 'text', text: 'car' }] };
  const refused = await server.send('/session/clicks/prompt', 'POST', texts);
  expect(refused.status).toBe(503);
  expect(((await refused.json()) as { detail: string }).detail).toContain('takes no texts');
  await answer('/session/clicks/prompt', 'POST', PROMPT);
  await answer('/session/clicks/propagate', 'POST', { max_frames: 2 });
});

test('both clips of two sessions are followed at once', async () => {
  server = await videoServer();
  expect(await plain<object>('/models/info')).toMatchObject({
    image_model: {
      video_model: 'sam3-checkpoint',
      capabilities: expect.arrayContaining(['video_tracking']),
    },
  });
  await start('a');
  await answer('/session/start', 'POST', { video_path: 'turned.mov', session_id: 'b' });
  for (const id of ['a', 'b']) await answer(`/session/${id}/prompt`, 'POST', PROMPT);
  const both = await Promise.all(
    ['a', 'b'].map((id) =>
      answer<PropagateAnswer>(`/session/${id}/propagate`, 'POST', { max_frames: 3 }),
    ),
  );
  expect(both.map(({ total_frames }) => total_frames)).toEqual([3, 3]);
});

const DATA = new URL('../../../shared/data/video/', import.meta.url).pathname;
const hasData = existsSync(`${DATA}bedroom.mp4`);
if (!hasData) console.warn('SKIPPED: ../shared/data/video/bedroom.mp4 is not here');

testIf(hasData)(
  'a real clip of 540p goes through a whole session, in memory that does not grow',
  async () => {
    server = await videoServer({ videoRoot: DATA });
    await answer('/session/start', 'POST', { video_path: 'bedroom.mp4', session_id: 'bed' });
    await answer('/session/bed/prompt', 'POST', PROMPT);
    const client = await connect(server, 'bed');
    const held = async () =>
      (await answer<StatusAnswer>('/session/bed/status', 'GET')).gpu_memory_used_mb;
    client.send({ direction: 'forward', max_frames: 60 });
    await client.rest();
    const early = await held();
    client.send({ direction: 'forward', start_frame_index: 60 });
    const messages = await client.rest();
    expect(messages.at(-1)).toEqual({ type: 'complete', total_frames: 140 });
    expect(await held()).toBe(early);
    const status = await answer<StatusAnswer>('/session/bed/status', 'GET');
    expect(status).toMatchObject({ frames_processed: 200, total_frames: 200, status: 'ready' });
    client.close();
    await answer('/session/bed', 'DELETE');
  },
  120_000,
);
