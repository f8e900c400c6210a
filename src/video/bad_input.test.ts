import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout } from 'bun:test';
import { tmpdir } from 'node:os';
import { describe, test } from '../../test/video_library.ts';
import type { SessionsAnswer, StatusAnswer } from './answers.ts';
import { type VideoServer, videoFixture, videoServer } from './server_fixture.ts';

// A whole server starts, and may share its processors.
setDefaultTimeout(60_000);

const CLICK = { type: 'point', points: [[0.5, 0.6]], point_labels: [1] };
const START = '/session/start';

let server: VideoServer;
beforeAll(async () => {
  server = await videoServer({ maxUploadMb: '1' });
});
afterAll(() => server.stop());

async function refused(path: string, method: string, body?: unknown) {
  const response = await server.send(path, method, body);
  const { detail } = (await response.json()) as { detail: string };
  return { status: response.status, detail };
}

async function base64(name: string, end?: number): Promise<string> {
  const file = Bun.file(videoFixture(name)).slice(0, end);
  return Buffer.from(await file.arrayBuffer()).toString('base64');
}

describe('a start that is refused leaves nothing behind', () => {
  afterEach(async () => {
    const { total_sessions } = (await (
      await server.send('/sessions', 'GET')
    ).json()) as SessionsAnswer;
    expect(total_sessions).toBe(0);
    expect(server.uploadedFiles()).toEqual([]);
    const metrics = await (await fetch(new URL('/metrics', server.url))).text();
    expect(metrics).toContain('\ntriptych_session_bytes 0\n');
    expect(metrics).toContain('\ntriptych_sessions 0\n');
  });

  test.each([
    ['text', Buffer.from('this is no video').toString('base64'), 'expected an MP4'],
    ['nothing', '', 'video_base64'],
    ['no base64', '%%%', 'video_base64'],
  ])('%s as a video: 422', async (_, video_base64, detail) => {
    const answer = await refused(START, 'POST', { video_base64 });
    expect(answer.status).toBe(422);
    expect(answer.detail).toContain(detail);
  });

  test.each([
    ['no video track', 'sound.mkv'],
    ['an unsupported codec', 'vp8.webm'],
    ['a video bomb', 'huge.mp4'],
  ])('%s: 422', async (_, name) => {
    expect(await refused(START, 'POST', { video_path: name })).toMatchObject({ status: 422 });
    const answer = await refused(START, 'POST', { video_base64: await base64(name) });
    expect(answer.status).toBe(422);
    expect(answer.detail).toStartWith('video_base64');
  });

  test('a truncated one: 422', async () => {
    const answer = await refused(START, 'POST', { video_base64: await base64('h264.mp4', 2000) });
    expect(answer).toMatchObject({ status: 422 });
    expect(answer.detail).toContain('truncated');
  });

  test('no source, and several: 400', async () => {
    expect(await refused(START, 'POST', { session_id: 'x' })).toMatchObject({ status: 400 });
    const two = { video_path: 'h264.mp4', video_url: 'https://example.com/video.mp4' };
    expect(await refused(START, 'POST', two)).toMatchObject({ status: 400 });
  });

  test('paths: 404 for nothing, 403 outside the root', async () => {
    expect(await refused(START, 'POST', { video_path: 'absent.mp4' })).toMatchObject({
      status: 404,
    });
    for (const video_path of ['../../../package.json', '/etc/passwd', tmpdir()]) {
      expect(await refused(START, 'POST', { video_path })).toMatchObject({ status: 403 });
    }
  });

  test('URLs that lead inward: 422', async () => {
    for (const video_url of ['http://127.0.0.1/video.mp4', 'file:///etc/passwd', 'nonsense']) {
      expect(await refused(START, 'POST', { video_url })).toMatchObject({ status: 422 });
    }
  });

  test.each(['../one', 'a/b', '..', '', 'a b', 'ü', '.hidden', 'x'.repeat(129), 'a\0b', '%2e%2e'])(
    'the id %j: 422',
    async (session_id) => {
      const answer = await refused(START, 'POST', { video_path: 'h264.mp4', session_id });
      expect(answer.status).toBe(422);
      expect(answer.detail).toStartWith('session_id: expected');
    },
  );

  test.each([[[]], [[0, 0]], [[-1]], [[0.5]], ['0'], [[99, 'a']]])(
    'gpu_ids %j: 422',
    async (gpu_ids) => {
      const answer = await refused(START, 'POST', { video_path: 'h264.mp4', gpu_ids });
      expect(answer.status).toBe(422);
      expect(answer.detail).toStartWith('gpu_ids');
    },
  );

  test('a model that is none: 422; a body that is too large, of another type, no JSON', async () => {
    expect(await refused(START, 'POST', { video_path: 'h264.mp4', model: 'x' })).toMatchObject({
      status: 422,
      detail: expect.stringContaining('no model is called "x"'),
    });
    expect(
      await refused(START, 'POST', { video_path: 'h264.mp4', model: 'edgetam' }),
    ).toMatchObject({
      status: 422,
      detail: expect.stringContaining('edgetam does not follow objects'),
    });
    const large = { video_base64: 'A'.repeat(2 << 20) };
    expect(await refused(START, 'POST', large)).toMatchObject({ status: 413 });
    expect(await refused(START, 'POST', '{')).toMatchObject({ status: 400 });
    const plain = await server.send(START, 'POST', 'x', { 'content-type': 'text/plain' });
    expect(plain.status).toBe(415);
  });
});

describe('a session that is there', () => {
  beforeAll(async () => {
    await server.send(START, 'POST', { video_path: 'h264.mp4', session_id: 'here' });
  });

  test('its id is taken: 409', async () => {
    const again = { video_path: 'h264.mp4', session_id: 'here' };
    expect(await refused(START, 'POST', again)).toMatchObject({ status: 409 });
  });

  test('a propagation before any object: 400; a correction of an unknown one: 404', async () => {
    expect(await refused('/session/here/propagate', 'POST', {})).toMatchObject({ status: 400 });
    expect(await refused('/session/here/propagate', 'POST', { stream: true })).toMatchObject({
      status: 400,
    });
    const correction = { frame_index: 0, prompts: [CLICK], obj_id: 1 };
    expect(await refused('/session/here/prompt', 'POST', correction)).toEqual({
      status: 404,
      detail: 'session here has no object 1; there are: none',
    });
    expect(await refused('/session/here/object/1', 'DELETE')).toMatchObject({ status: 404 });
  });

  test.each([
    ['frame_index', { frame_index: 40, prompts: [CLICK] }],
    ['frame_index', { frame_index: -1, prompts: [CLICK] }],
    ['frame_index', { frame_index: 1.5, prompts: [CLICK] }],
    ['frame_index', { prompts: [CLICK] }],
    ['prompts', { frame_index: 0, prompts: [] }],
    ['prompts', { frame_index: 0 }],
    ['prompts.0', { frame_index: 0, prompts: [{}] }],
    ['prompts.0.points', { frame_index: 0, prompts: [{ type: 'point', points: [[2, 0]] }] }],
    ['obj_id', { frame_index: 0, prompts: [CLICK], obj_id: 0 }],
    ['obj_id', { frame_index: 0, prompts: [CLICK], obj_id: 'one' }],
    ['mode', { frame_index: 0, prompts: [CLICK], mode: 'other' }],
    ['confidence_threshold', { frame_index: 0, prompts: [CLICK], confidence_threshold: 2 }],
    ['prompts.0.text', { frame_index: 0, prompts: [{ type: 'text', text: 'car' }], obj_id: 1 }],
  ])('%s of a prompt: 422', async (field, body) => {
    const answer = await refused('/session/here/prompt', 'POST', body);
    expect(answer.status).toBe(422);
    expect(answer.detail).toStartWith(field);
  });

  test.each([
    ['start_frame_index', { start_frame_index: 40 }],
    ['start_frame_index', { start_frame_index: -1 }],
    ['max_frames', { max_frames: 0 }],
    ['max_frames', { max_frames: -3 }],
    ['direction', { direction: 'sideways' }],
    ['stream', { stream: 'yes' }],
  ])('%s of a propagation: 422', async (field, body) => {
    const answer = await refused('/session/here/propagate', 'POST', body);
    expect(answer.status).toBe(422);
    expect(answer.detail).toStartWith(field);
  });

  test('more objects than a session follows: 422, and none of them is started', async () => {
    const prompts = Array(60).fill(CLICK);
    await server.send('/session/here/prompt', 'POST', { frame_index: 0, prompts });
    const answer = await refused('/session/here/prompt', 'POST', { frame_index: 0, prompts });
    expect(answer).toMatchObject({ status: 422 });
    expect(answer.detail).toStartWith('prompts: 60 more objects');
    const status = await (await server.send('/session/here/status', 'GET')).json();
    expect((status as StatusAnswer).current_objects).toBe(60);
  });

  test('the session is still as good as new', async () => {
    expect((await server.send('/session/here/reset', 'POST')).status).toBe(200);
    const prompt = { frame_index: 0, prompts: [CLICK] };
    expect((await server.send('/session/here/prompt', 'POST', prompt)).status).toBe(200);
    expect((await server.send('/session/here/propagate', 'POST', { max_frames: 2 })).status).toBe(
      200,
    );
  });
});

describe('a session that is not there', () => {
  test.each([
    ['/session/nobody/status', 'GET', undefined],
    ['/session/nobody/prompt', 'POST', { frame_index: 0, prompts: [CLICK] }],
    ['/session/nobody/propagate', 'POST', {}],
    ['/session/nobody/propagate', 'POST', { stream: true }],
    ['/session/nobody/reset', 'POST', undefined],
    ['/session/nobody/object/1', 'DELETE', undefined],
    ['/session/nobody', 'DELETE', undefined],
    ['/session/..%2f..%2fetc/status', 'GET', undefined],
    ['/session/%00/status', 'GET', undefined],
    ['/session/%F0%9F%98%80/status', 'GET', undefined],
    [`/session/${'x'.repeat(5000)}/status`, 'GET', undefined],
  ])('%s %s: 404', async (path, method, body) => {
    const answer = await refused(path, method, body);
    expect(answer.status).toBe(404);
    expect(answer.detail.length).toBeLessThan(200);
  });

  test('an object that is no number: 422', async () => {
    const answer = await refused('/session/nobody/object/one', 'DELETE');
    expect(answer).toMatchObject({ status: 422 });
  });
});
