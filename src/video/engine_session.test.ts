import { afterAll, expect, setDefaultTimeout } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from '../../test/video_library.ts';
import type { Backend, Model } from '../compute/backend.ts';
import { openCpuBackend } from '../compute/cpu/backend.ts';
import { OpenModels } from '../models/open_models.ts';
import { openStore } from '../models/store.ts';
import { FeatureCache } from '../sam/feature_cache.ts';
import { SegmentModels } from '../sam/models.ts';
import { tokenised } from '../sam/tokenised.ts';
import type { ClickPrompt } from '../sam/types.ts';
import { EngineSession } from './engine_session.ts';
import { tinyModel } from './server_fixture.ts';
import type { FramePixels } from './task.ts';

// A whole server starts, and may share its processors.
setDefaultTimeout(60_000);

const FRAMES = 8;
const SIZE = { width: 61, height: 43 };

const folder = mkdtempSync(join(tmpdir(), 'triptych-engine-session-'));
afterAll(() => rmSync(folder, { recursive: true }));

const store = openStore({ root: join(folder, 'models') });
const models = new SegmentModels(store, { strict: false, checkpoint: tinyModel(folder) });
const { model, tokenizerFile } = models.findForVideo(undefined, 'cpu');

const runs: string[] = [];
const backend = recording(openCpuBackend());

/** Tells which graphs run. */
function recording(real: Backend): Backend {
  const openModel = async (path: string): Promise<Model> => {
    const opened = await real.openModel(path);
    const run: Model['run'] = (feeds, wanted) => {
      runs.push(basename(path));
      return opened.run(feeds, wanted);
    };
    return new Proxy(opened, {
      get: (target, key) => (key === 'run' ? run : Reflect.get(target, key)),
    });
  };
  return new Proxy(real, {
    get: (target, key) => {
      if (key === 'openModel') return openModel;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Numbers that differ from frame to frame. */
function frame(index: number): FramePixels {
  const pixels = Uint8Array.from(
    { length: SIZE.width * SIZE.height * 3 },
    (_, i) => 128 + 90 * Math.sin(i / 40 + index),
  );
  return { index, pixels, size: SIZE };
}

function open(): EngineSession {
  const texts = new FeatureCache(backend, { maxBytes: 1 << 20, ttlMs: 0 });
  const engine = { backend, models: new OpenModels(backend), texts, progress: () => {} };
  return new EngineSession(engine, model, FRAMES);
}

const encodings = () => runs.filter((name) => name === 'vision-encoder.onnx').length;
const click: ClickPrompt = { type: 'click', points: [[0.5, 0.5]], labels: [1], box: null };
const text = await tokenised(
  [{ index: 0, label: 'ball', ask: { type: 'concept', text: 'ball', exemplars: [] } }],
  tokenizerFile,
);

test('a frame is encoded once for texts, clicks and all objects', async () => {
  const session = open();
  runs.length = 0;
  const prompts = [click, ...text, click];
  const found = await session.prompt({
    type: 'prompt',
    frame: frame(0),
    prompts,
    object: null,
    threshold: 0.1,
  });
  expect(found.filter(({ prompt }) => prompt === 1).length).toBeGreaterThan(0);
  expect(found.filter(({ prompt }) => prompt !== 1).map(({ prompt }) => prompt)).toEqual([0, 2]);
  expect(encodings()).toBe(1);
  for (const index of [1, 2]) {
    await session.step({
      type: 'step',
      frame: frame(index),
      direction: 1,
      isFirst: index === 1,
      trackNew: true,
      settle: true,
    });
  }
  expect(encodings()).toBe(3);
  // The same text is looked for on each frame, and encoded once.
  expect(runs.filter((name) => name === 'concept-decoder.onnx')).toHaveLength(3);
  expect(runs.filter((name) => name === 'text-encoder.onnx')).toHaveLength(1);
  session.dispose();
});

test('without track_new no text is looked for', async () => {
  const session = open();
  const prompting = { frame: frame(0), object: null, threshold: 0.1 };
  await session.prompt({ type: 'prompt', ...prompting, prompts: [...text, click] });
  runs.length = 0;
  await session.step({
    type: 'step',
    frame: frame(1),
    direction: 1,
    isFirst: true,
    trackNew: false,
    settle: true,
  });
  expect(runs).not.toContain('concept-decoder.onnx');
  session.dispose();
});

test('what it holds is bounded over a pass, and all of it is given back', async () => {
  const before = backend.memory().usedBytes;
  const session = open();
  expect(session.bytes).toBe(0);
  const prompting = { frame: frame(0), object: null, threshold: 0.5 };
  await session.prompt({ type: 'prompt', ...prompting, prompts: [click, click] });
  const held = session.bytes;
  expect(held).toBeGreaterThan(0);
  for (let index = 1; index < FRAMES; index++) {
    await session.step({
      type: 'step',
      frame: frame(index),
      direction: 1,
      isFirst: index === 1,
      trackNew: false,
      settle: true,
    });
  }
  expect(session.bytes).toBeGreaterThan(held);
  session.remove(1);
  expect(session.ids).toEqual([2]);
  session.reset();
  expect(session.ids).toEqual([]);
  session.dispose();
  expect(session.bytes).toBe(0);
  expect(backend.memory().usedBytes).toBe(before);
});
