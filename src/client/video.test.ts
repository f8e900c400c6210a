import { afterAll, beforeAll, expect, setDefaultTimeout } from 'bun:test';
import { describe, test } from '../../test/video_library.ts';
import { type VideoServer, videoFixture, videoServer } from '../video/server_fixture.ts';
import {
  ApiError,
  addPrompts,
  closeSession,
  decodeMask,
  getSessionStatus,
  listSessions,
  propagate,
  removeObject,
  resetSession,
  startSession,
} from './index.ts';

// A whole server starts, and may share its processors.
setDefaultTimeout(60_000);

/** A real server that needs a key, with a tiny SAM 3 of random weights. */
const KEY = 'sk-client-test';
const CLIP = 'h264.mp4';
const SIZE = { width: 96, height: 64 };
const CLICK = { points: [[0.5, 0.6]] };

let server: VideoServer;
let options: { baseUrl: URL; apiKey: string };
beforeAll(async () => {
  server = await videoServer({ apiKey: KEY });
  options = { baseUrl: server.url, apiKey: KEY };
});
afterAll(() => server.stop());

async function refused(asked: Promise<unknown>): Promise<ApiError> {
  const error = await asked.then(
    () => expect.unreachable('it was answered'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error;
}

test('a session from its start to its end', async () => {
  const start = await startSession({ video_path: CLIP, session_id: 'walk' }, options);
  expect(start).toMatchObject({ session_id: 'walk', status: 'ready' });
  expect(start.video_info).toMatchObject({ total_frames: 40, resolution: SIZE });
  const prompts = [CLICK, { points: [[0.2, 0.2]] }];
  const found = await addPrompts('walk', { frame_index: 2, prompts }, options);
  expect(found).toMatchObject({ obj_id: [1, 2], prompt_indices: [0, 1] });
  expect(decodeMask(found.masks[0], SIZE)).toHaveLength(96 * 64);

  const answer = await propagate('walk', { start_frame_index: 2, max_frames: 3 }, options);
  expect(Object.keys(answer.results)).toEqual(['0', '1', '2', '3', '4']);
  expect(answer.total_frames).toBe(5);
  const [first, second] = answer.results['2'].objects;
  expect([first.id, second.id]).toEqual([1, 2]);
  expect(first.mask).toBe(found.masks[0]);
  expect(await getSessionStatus('walk', options)).toMatchObject({
    status: 'ready',
    current_objects: 2,
    frames_processed: 5,
    total_frames: 40,
  });

  expect(await removeObject('walk', 1, options)).toMatchObject({ obj_id: 1, status: 'removed' });
  expect(await resetSession('walk', options)).toMatchObject({
    status: 'reset',
    objects_cleared: 1,
  });
  const { sessions } = await listSessions(options);
  expect(sessions.map(({ session_id }) => session_id)).toEqual(['walk']);
  expect(await closeSession('walk', options)).toMatchObject({ status: 'closed' });
  expect((await listSessions(options)).total_sessions).toBe(0);
});

test('bytes of any kind are uploaded, and are gone with their session', async () => {
  const file = Bun.file(videoFixture(CLIP));
  const bytes = await file.bytes();
  const videos = [file, bytes, bytes.buffer, new Blob([bytes])];
  const infos = [];
  for (const [i, video] of videos.entries()) {
    // Digits that a form must not make a number of.
    const start = await startSession({ video, session_id: `${i}` }, options);
    expect(start.session_id).toBe(`${i}`);
    infos.push(start.video_info);
  }
  const video_base64 = bytes.toBase64();
  const { session_id, video_info } = await startSession({ video_base64 }, options);
  expect(infos).toEqual(Array(videos.length).fill(video_info));
  expect(server.uploadedFiles()).toHaveLength(videos.length + 1);
  await Promise.all(['0', '1', '2', '3', session_id].map((id) => closeSession(id, options)));
  expect(server.uploadedFiles()).toEqual([]);
});

test('masks come in the form that is asked for', async () => {
  const { session_id } = await startSession({ video_path: CLIP }, options);
  const fields = { frame_index: 0, prompts: [CLICK] };
  const found = await addPrompts(session_id, { ...fields, mask_format: 'rle_object' }, options);
  expect(found.masks[0].size).toEqual([64, 96]);
  const forms = { max_frames: 1 };
  const plain = await propagate(session_id, forms, options);
  const objects = await propagate(session_id, { ...forms, mask_format: 'rle_object' }, options);
  const outlines = await propagate(session_id, { ...forms, mask_format: 'polygons' }, options);
  expect(plain.results['0'].objects[0].mask).toBe(found.masks[0].counts);
  expect(objects.results['0'].objects[0].mask.counts).toBe(found.masks[0].counts);
  expect(outlines.results['0'].objects[0].mask[0].length).toBeGreaterThanOrEqual(6);
  await closeSession(session_id, options);
});

describe('what the server refuses is an ApiError', () => {
  test('without a key', async () => {
    const { baseUrl } = options;
    expect(await refused(listSessions({ baseUrl }))).toMatchObject({ status: 401 });
  });

  test.each([
    ['status', (id: string) => getSessionStatus(id, options)],
    ['close', (id: string) => closeSession(id, options)],
    ['reset', (id: string) => resetSession(id, options)],
    ['remove', (id: string) => removeObject(id, 1, options)],
    ['propagate', (id: string) => propagate(id, {}, options)],
  ])('%s of a session that is not there', async (_, asked) => {
    for (const id of ['nobody', 'a/b?c#d']) {
      expect(await refused(asked(id))).toMatchObject({ status: 404 });
    }
  });

  test('what is no video', async () => {
    const error = await refused(startSession({ video: new Blob(['text']) }, options));
    expect(error.status).toBe(422);
    expect(server.uploadedFiles()).toEqual([]);
  });
});
