import { afterAll, beforeAll, expect, setDefaultTimeout } from 'bun:test';
import { describe, test } from '../../test/video_library.ts';
import { type VideoServer, videoServer } from '../video/server_fixture.ts';
import {
  ApiError,
  addPrompts,
  closeSession,
  getSessionStatus,
  NoAnswerError,
  PropagationError,
  propagate,
  propagateStream,
  type StatusAnswer,
  startSession,
  type TrackedFrame,
} from './index.ts';

// A whole server starts, and may share its processors.
setDefaultTimeout(60_000);

/** A key as WebSockets cannot carry it as it stands. */
const KEY = 'key/with=signs+möre';
const FRAMES = 40;

let server: VideoServer;
let options: { baseUrl: URL; apiKey: string };
beforeAll(async () => {
  server = await videoServer({ apiKey: Buffer.from(KEY).toString() });
  options = { baseUrl: server.url, apiKey: KEY };
});
afterAll(() => server.stop());

/** A session with an object on frame 20. */
async function session(): Promise<string> {
  const { session_id } = await startSession({ video_path: 'h264.mp4' }, options);
  const prompts = [{ points: [[0.5, 0.6]] }];
  await addPrompts(session_id, { frame_index: 20, prompts }, options);
  return session_id;
}

async function failure(frames: AsyncIterator<unknown>): Promise<Error> {
  for (;;) {
    const step = await frames.next().catch((error) => error);
    if (step instanceof Error) return step;
    if (step.done) return expect.unreachable('it came to its end');
  }
}

describe('frames', () => {
  test('come in their order, and are those of one answer', async () => {
    const id = await session();
    const fields = { start_frame_index: 20, max_frames: 4 };
    const frames = await Array.fromAsync(propagateStream(id, fields, options));
    // What was seen of other frames is remembered: the same way through a session of its own.
    const other = await session();
    const { results } = await propagate(other, fields, options);
    expect(frames.map(({ frame_index }) => frame_index)).toEqual([20, 21, 22, 23, 19, 18, 17]);
    for (const frame of frames) expect(frame).toEqual(results[frame.frame_index]);
    const forms = { ...fields, max_frames: 1, mask_format: 'rle_object' } as const;
    const [{ objects }] = await Array.fromAsync(propagateStream(id, forms, options));
    expect(objects[0].mask).toEqual({ size: [64, 96], counts: results['20'].objects[0].mask });
    for (const one of [id, other]) await closeSession(one, options);
  });

  test('wait on the server for a loop that is slow, and none is lost', async () => {
    const id = await session();
    const frames: TrackedFrame[] = [];
    for await (const frame of propagateStream(id, { start_frame_index: 0 }, options)) {
      frames.push(frame);
      if (frame.frame_index !== 0) continue;
      const stood = await stands(id);
      expect(stood.status).toBe('processing');
      expect(stood.frames_processed).toBeLessThan(FRAMES);
    }
    expect(frames.map(({ frame_index }) => frame_index)).toEqual(
      Array.from({ length: FRAMES }, (_, i) => i),
    );
    const other = await session();
    const { results } = await propagate(other, { start_frame_index: 0 }, options);
    expect(frames).toEqual(Object.values(results));
    for (const one of [id, other]) await closeSession(one, options);
  });
});

/** The status, once its frames have stayed the same. */
async function stands(id: string): Promise<StatusAnswer> {
  let last = await status(id);
  for (let times = 0; times < 3; ) {
    await Bun.sleep(300);
    const now = await status(id);
    times = now.frames_processed === last.frames_processed ? times + 1 : 0;
    last = now;
  }
  return last;
}

const status = (id: string) => getSessionStatus(id, options);

describe('leaving', () => {
  test('the loop sets the session free at once', async () => {
    const id = await session();
    for await (const _ of propagateStream(id, {}, options)) break;
    const { status: state, frames_processed } = await status(id);
    expect(state).toBe('ready');
    expect(frames_processed).toBeLessThan(FRAMES);
    const prompts = [{ points: [[0.2, 0.2]] }];
    const { obj_id } = await addPrompts(id, { frame_index: 1, prompts }, options);
    expect(obj_id).toEqual([2]);
    await closeSession(id, options);
  });

  test('by a throw in the loop, too, also while the server waits', async () => {
    const id = await session();
    const reason = new Error('of the loop');
    const loop = async () => {
      for await (const _ of propagateStream(id, {}, options)) {
        await Bun.sleep(1000);
        throw reason;
      }
    };
    await expect(loop()).rejects.toBe(reason);
    expect((await status(id)).status).toBe('ready');
    await closeSession(id, options);
  });

  test('by the signal gives its reason, before and in the middle', async () => {
    const id = await session();
    const reason = new Error('the user went back');
    const early = { ...options, signal: AbortSignal.abort(reason) };
    expect(await failure(propagateStream(id, {}, early))).toBe(reason);
    const stop = new AbortController();
    const frames = propagateStream(id, {}, { ...options, signal: stop.signal });
    await frames.next();
    stop.abort(reason);
    expect(await failure(frames)).toBe(reason);
    while ((await status(id)).status !== 'ready') await Bun.sleep(10);
    expect((await status(id)).frames_processed).toBeLessThan(FRAMES);
    await closeSession(id, options);
  });
});

describe('errors', () => {
  test('what the server refuses or what fails there', async () => {
    const id = await session();
    const past = await failure(propagateStream(id, { start_frame_index: FRAMES }, options));
    expect(past).toBeInstanceOf(PropagationError);
    expect(past.message).toStartWith('start_frame_index: expected a frame from 0 to 39');
    const frames = propagateStream(id, {}, options);
    await frames.next();
    const second = await failure(propagateStream(id, {}, options));
    expect(second).toBeInstanceOf(PropagationError);
    expect(second.message).toContain('is propagating');
    await closeSession(id, options);
    expect((await failure(frames)).message).toBe(`session ${id} was closed`);
    expect((await failure(propagateStream(id, {}, options))).message).toContain('was closed');
  });

  test('a key that is wrong or absent says so', async () => {
    for (const apiKey of ['other', undefined]) {
      const error = await failure(propagateStream('any', {}, { ...options, apiKey }));
      expect(error).toBeInstanceOf(ApiError);
      expect(error).toMatchObject({ status: 401 });
    }
  });

  test('nobody there, and an address that is none', async () => {
    const gone = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
    const baseUrl = gone.url;
    await gone.stop(true);
    const error = await failure(propagateStream('any', {}, { baseUrl }));
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(error).toMatchObject({ reason: 'unreachable' });
    const odd = await failure(propagateStream('any', {}, { baseUrl: 'localhost:8000' }));
    expect(odd).toBeInstanceOf(TypeError);
  });
});

/** Servers that misbehave as proxies, other servers and broken lines do. */
describe('a server', () => {
  async function against(answer: (socket: Bun.ServerWebSocket) => void): Promise<Error> {
    const odd = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: (request, host) =>
        host.upgrade(request) ? undefined : Response.json({ status: 'ready' }),
      websocket: { message: answer },
    });
    try {
      return await failure(propagateStream('any', {}, { baseUrl: odd.url, timeout: 300 }));
    } finally {
      await odd.stop(true);
    }
  }

  test('that says nothing is waited for as long as was said', async () => {
    const error = await against(() => {});
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(error).toMatchObject({ reason: 'timeout' });
  });

  test('whose connection breaks after a frame', async () => {
    const error = await against((socket) => {
      socket.send('{"type":"frame","frame_index":0,"objects":[]}');
      socket.close(1013, 'a message did not fit');
    });
    expect(error).toMatchObject({ reason: 'unreachable' });
    expect(error.message).toContain('a message did not fit');
  });

  test('that sends something else', async () => {
    const error = await against((socket) => void socket.send('<html>'));
    expect(error).toBeInstanceOf(PropagationError);
    expect(error.message).toContain('no message of this server');
  });
});
