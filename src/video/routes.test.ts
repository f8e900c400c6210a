import { afterAll, beforeAll, expect, setDefaultTimeout } from 'bun:test';
import { describe, test } from '../../test/video_library.ts';
import { decodeRle } from '../media/rle.ts';
import type {
  PromptAnswer,
  PropagateAnswer,
  SessionsAnswer,
  StartAnswer,
  StatusAnswer,
  StreamMessage,
} from './answers.ts';
import { type VideoServer, videoFixture, videoServer } from './server_fixture.ts';

// A whole server starts, and may share its processors.
setDefaultTimeout(60_000);

const CLIP = 'h264.mp4';
const FRAMES = 40;
const CLICK = { type: 'point', points: [[0.5, 0.6]], point_labels: [1] };

let server: VideoServer;
beforeAll(async () => {
  server = await videoServer();
});
afterAll(() => server.stop());

async function ok<T>(path: string, method: string, body?: unknown): Promise<T> {
  const response = await server.send(path, method, body);
  const text = await response.text();
  expect({ path, status: response.status, text: response.ok ? '' : text }).toEqual({
    path,
    status: 200,
    text: '',
  });
  return JSON.parse(text) as T;
}

async function started(id: string, body: object = { video_path: CLIP }): Promise<StartAnswer> {
  return ok<StartAnswer>('/session/start', 'POST', { ...body, session_id: id });
}

const status = (id: string) => ok<StatusAnswer>(`/session/${id}/status`, 'GET');
const prompted = (id: string, body: object) =>
  ok<PromptAnswer>(`/session/${id}/prompt`, 'POST', body);
const propagated = (id: string, body: object) =>
  ok<PropagateAnswer>(`/session/${id}/propagate`, 'POST', body);
const closed = (id: string) => ok<{ memory_freed_mb: number }>(`/session/${id}`, 'DELETE');
const frames = ({ results }: PropagateAnswer) =>
  Object.values(results).map(({ frame_index }) => frame_index);

test('a client that follows the document gets every documented field, with true values', async () => {
  const start = await started('walk', { video_path: CLIP, gpu_ids: [0, 1] });
  expect(start).toMatchObject({
    session_id: 'walk',
    status: 'ready',
    video_info: {
      total_frames: FRAMES,
      fps: 25,
      resolution: { width: 96, height: 64 },
      duration_seconds: 1.6,
    },
  });
  const before = await status('walk');
  expect(before).toMatchObject({
    session_id: 'walk',
    status: 'ready',
    current_objects: 0,
    frames_processed: 0,
    total_frames: FRAMES,
    gpu_memory_used_mb: 0,
  });

  const example = [
    { type: 'text', text: 'red car' },
    { type: 'box', box: [0.2, 0.3, 0.4, 0.5], label: true },
  ];
  const found = await prompted('walk', {
    frame_index: 0,
    prompts: example,
    obj_id: null,
    confidence_threshold: 0.2,
  });
  expect(found.status).toBe('prompt_added');
  expect(found.frame_index).toBe(0);
  expect(found.obj_id.length).toBeGreaterThan(0);
  expect(found.obj_id).toEqual(found.obj_id.map((_, i) => i + 1));
  for (const list of [found.masks, found.boxes, found.scores, found.prompt_indices]) {
    expect(list).toHaveLength(found.obj_id.length);
  }
  // The box is an example of what the text names.
  expect(new Set(found.prompt_indices)).toEqual(new Set([0]));
  const click = await prompted('walk', { frame_index: 0, prompts: [CLICK] });
  expect(click.obj_id).toEqual([found.obj_id.length + 1]);
  expect(decodeRle(click.masks[0] as string, 64, 96)).toHaveLength(64 * 96);

  const all = await propagated('walk', {
    direction: 'both',
    start_frame_index: 0,
    max_frames: 5,
    stream: false,
  });
  expect(all.session_id).toBe('walk');
  expect(all.total_frames).toBe(5);
  expect(all.processing_time_ms).toBeGreaterThan(0);
  expect(Object.keys(all.results)).toEqual(['0', '1', '2', '3', '4']);
  const ids = [...found.obj_id, ...click.obj_id];
  for (const [key, { frame_index, objects }] of Object.entries(all.results)) {
    expect(String(frame_index)).toBe(key);
    expect(objects.map(({ id }) => id)).toEqual(ids);
    for (const { mask, box, score, present } of objects) {
      const area = decodeRle(mask as string, 64, 96).reduce((sum, pixel) => sum + pixel, 0);
      expect(present).toBe(area > 0);
      expect(box).toHaveLength(4);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
  }
  // On the prompted frame the object is as it was prompted.
  expect(all.results['0'].objects.at(-1)?.mask).toEqual(click.masks[0]);

  const after = await status('walk');
  expect(after).toMatchObject({ current_objects: ids.length, frames_processed: 5, progress: null });
  expect(after.gpu_memory_used_mb).toBeGreaterThan(0);

  const { sessions, total_sessions } = await ok<SessionsAnswer>('/sessions', 'GET');
  expect(total_sessions).toBe(1);
  expect(sessions[0]).toMatchObject({
    session_id: 'walk',
    type: 'video',
    status: 'ready',
    objects_count: ids.length,
  });
  expect(new Date(sessions[0].created_at).toISOString()).toBe(sessions[0].created_at);

  expect(await ok<object>(`/session/walk/object/${ids[0]}`, 'DELETE')).toEqual({
    session_id: 'walk',
    obj_id: ids[0],
    status: 'removed',
  });
  expect(await ok<object>('/session/walk/reset', 'POST')).toEqual({
    session_id: 'walk',
    status: 'reset',
    objects_cleared: ids.length - 1,
  });
  expect(await status('walk')).toMatchObject({ current_objects: 0, frames_processed: 0 });
  // Ids do not come again.
  const again = await prompted('walk', { frame_index: 1, prompts: [CLICK] });
  expect(again.obj_id).toEqual([ids.length + 1]);

  const { gpu_memory_used_mb: held } = await status('walk');
  const end = await closed('walk');
  expect(end).toMatchObject({ session_id: 'walk', status: 'closed' });
  expect(end.memory_freed_mb).toBeCloseTo(held, 6);
  expect((await server.send('/session/walk/status', 'GET')).status).toBe(404);
});

describe('sources', () => {
  test('base64, a data URL and multipart are the same file, which is gone when it is closed', async () => {
    const file = Bun.file(videoFixture(CLIP));
    const base64 = Buffer.from(await file.arrayBuffer()).toString('base64');
    const form = new FormData();
    form.set('video', new Blob([await file.arrayBuffer()]), 'clip.mp4');
    form.set('session_id', '123');
    form.set('gpu_ids', '[0]');
    const infos = [
      (await started('path')).video_info,
      (await started('base64', { video_base64: base64 })).video_info,
      (await started('url', { video_base64: `data:video/mp4;base64,${base64}` })).video_info,
    ];
    const response = await server.send('/session/start', 'POST', form);
    expect(response.status).toBe(200);
    const uploaded = (await response.json()) as StartAnswer;
    expect(uploaded.session_id).toBe('123');
    expect([...infos, uploaded.video_info]).toEqual(Array(4).fill(infos[0]));
    expect(server.uploadedFiles()).toHaveLength(3);
    for (const id of ['path', 'base64', 'url', '123']) await closed(id);
    expect(server.uploadedFiles()).toEqual([]);
  });

  test('an id is made up where none is given', async () => {
    const { session_id } = await ok<StartAnswer>('/session/start', 'POST', { video_path: CLIP });
    expect(session_id).toMatch(/^session-[0-9a-f-]{36}$/);
    await closed(session_id);
  });
});

describe('propagation', () => {
  beforeAll(async () => {
    await started('way');
    await prompted('way', { frame_index: 20, prompts: [CLICK] });
  });
  afterAll(() => closed('way'));

  test.each([
    ['forward', { direction: 'forward', start_frame_index: 37 }, [37, 38, 39]],
    ['N frames', { direction: 'forward', start_frame_index: 20, max_frames: 2 }, [20, 21]],
    ['backward', { direction: 'backward', start_frame_index: 2 }, [0, 1, 2]],
    ['both', { direction: 'both', start_frame_index: 20, max_frames: 3 }, [18, 19, 20, 21, 22]],
    ['both at the end', { start_frame_index: 39, max_frames: 2 }, [38, 39]],
    ['null for all', { direction: 'backward', start_frame_index: 1, max_frames: null }, [0, 1]],
  ])('%s', async (_, body, expected) => {
    const answer = await propagated('way', body);
    expect(frames(answer)).toEqual(expected);
    expect(answer.total_frames).toBe(expected.length);
  });

  test('NDJSON goes forward from the start frame, then backward from it', async () => {
    const body = { direction: 'both', start_frame_index: 20, max_frames: 3, stream: true };
    const response = await server.send('/session/way/propagate', 'POST', body);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await response.text()).trimEnd().split('\n');
    const messages = lines.map((line) => JSON.parse(line) as StreamMessage);
    expect(messages.map((one) => (one.type === 'frame' ? one.frame_index : one.type))).toEqual([
      20,
      21,
      22,
      19,
      18,
      'complete',
    ]);
    expect(messages.at(-1)).toEqual({ type: 'complete', total_frames: 5 });
  });

  test('masks come in the form that is asked for', async () => {
    const body = { direction: 'forward', start_frame_index: 20, max_frames: 1 };
    const { results } = await propagated('way', { ...body, mask_format: 'rle_object' });
    const plain = await propagated('way', body);
    const counts = plain.results['20'].objects[0].mask;
    expect(results['20'].objects[0].mask).toEqual({ size: [64, 96], counts } as never);
  });

  test('a second one at the same time, a prompt, a reset and a removal get 409', async () => {
    const response = await server.send('/session/way/propagate', 'POST', { stream: true });
    const reader = response.body?.getReader();
    await reader?.read();
    expect((await status('way')).status).toBe('processing');
    for (const [path, method, body] of [
      ['/propagate', 'POST', {}],
      ['/prompt', 'POST', { frame_index: 0, prompts: [CLICK] }],
      ['/reset', 'POST', undefined],
      ['/object/1', 'DELETE', undefined],
    ] as const) {
      const refused = await server.send(`/session/way${path}`, method, body);
      expect({ path, status: refused.status }).toEqual({ path, status: 409 });
    }
    await reader?.cancel();
    while ((await status('way')).status === 'processing') await Bun.sleep(5);
    expect((await status('way')).status).toBe('ready');
  });

  test('status tells how far it has come, and how long it will take', async () => {
    const response = await server.send('/session/way/propagate', 'POST', {
      direction: 'forward',
      stream: true,
    });
    const reader = response.body?.getReader();
    await reader?.read();
    const { progress, estimated_seconds_left } = await status('way');
    expect(progress).toBeGreaterThan(0);
    expect(progress).toBeLessThanOrEqual(1);
    expect(estimated_seconds_left).toBeGreaterThanOrEqual(0);
    await reader?.cancel();
    while ((await status('way')).status === 'processing') await Bun.sleep(5);
  });
});

describe('prompts', () => {
  test('a click corrects an object, also with a click outside alone', async () => {
    await started('correct');
    const first = await prompted('correct', { frame_index: 3, prompts: [CLICK] });
    const outside = { type: 'point', points: [[0.9, 0.1]], point_labels: [0] };
    const refined = await prompted('correct', { frame_index: 3, prompts: [outside], obj_id: 1 });
    expect(refined.obj_id).toEqual([1]);
    expect(refined.masks).not.toEqual(first.masks);
    expect((await status('correct')).current_objects).toBe(1);
    await closed('correct');
  });

  test('boxes in mode "instance" are objects; new instances of a text join with track_new', async () => {
    await started('boxes');
    const box = { type: 'box', box: [0.5, 0.5, 0.4, 0.4] };
    const { obj_id } = await prompted('boxes', {
      frame_index: 0,
      prompts: [box, box],
      mode: 'instance',
    });
    expect(obj_id).toEqual([1, 2]);
    const texts = await prompted('boxes', {
      frame_index: 0,
      prompts: [{ type: 'text', text: 'ball' }],
      confidence_threshold: 1,
    });
    expect(texts).toMatchObject({ obj_id: [], masks: [], status: 'prompt_added' });
    const answer = await propagated('boxes', { max_frames: 3, track_new: true });
    expect(answer.results['0'].objects.length).toBeGreaterThanOrEqual(2);
    await closed('boxes');
  });

  test('prompts at the same time are taken in turn', async () => {
    await started('turns');
    const all = await Promise.all(
      [0, 5, 9].map((frame_index) => prompted('turns', { frame_index, prompts: [CLICK] })),
    );
    expect(all.flatMap(({ obj_id }) => obj_id).sort()).toEqual([1, 2, 3]);
    await closed('turns');
  });
});

test('the docs tell of each route, with an example and the reasons to refuse', async () => {
  const docs = (await (await fetch(new URL('/docs/json', server.url))).json()) as {
    paths: Record<string, Record<string, { summary: string; responses: object }>>;
  };
  const routes = Object.entries(docs.paths).filter(([path]) => path.startsWith('/api/v1/video/'));
  expect(
    routes.flatMap(([path, methods]) => Object.keys(methods).map((m) => `${m} ${path}`)).sort(),
  ).toEqual([
    'delete /api/v1/video/session/{session_id}',
    'delete /api/v1/video/session/{session_id}/object/{obj_id}',
    'get /api/v1/video/session/{session_id}/status',
    'get /api/v1/video/sessions',
    'post /api/v1/video/session/start',
    'post /api/v1/video/session/{session_id}/prompt',
    'post /api/v1/video/session/{session_id}/propagate',
    'post /api/v1/video/session/{session_id}/reset',
  ]);
  for (const [, methods] of routes) {
    for (const { summary, responses } of Object.values(methods)) {
      expect(summary.length).toBeGreaterThan(5);
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', '401', '503']));
    }
  }
});
