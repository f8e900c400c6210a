/**
 * EdgeTAM's published video set: tiny random graphs in its contract over a drawn clip, followed in
 * PyTorch by models/export/make_edgetam_video.py, against our own bookkeeping on every backend.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { devices } from '../../../test/devices.ts';
import type { Backend } from '../../compute/backend.ts';
import type { FixedBank } from '../../models/edgetam_parameters.ts';
import { OpenModels } from '../../models/open_models.ts';
import { inspectSegmentFolder, type SegmentGraph } from '../../models/segment_set.ts';
import { sinePositions } from './edgetam_layout.ts';
import type { VideoFrame } from './frame_features.ts';
import type { EdgeTamGraphs, TrackerModel } from './model.ts';
import { Tracker } from './tracker.ts';

setDefaultTimeout(180_000);

interface Manifest {
  readonly side: number;
  readonly frames: number;
  readonly clicks: readonly (readonly [number, number])[];
  readonly logit_step: number;
  readonly results: readonly {
    readonly frame: number;
    readonly object: number;
    readonly score: number;
    readonly mask: string;
    readonly logits: readonly number[];
  }[];
}

const fixtures = join(import.meta.dir, '../../../test/fixtures');
const folder = mkdtempSync(join(tmpdir(), 'triptych-edgetam-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const FILES = [
  ['segment-contracts', 'vision_encoder.onnx'],
  ['segment-contracts', 'prompt_encoder_mask_decoder.onnx'],
  ['edgetam-video', 'memory_encoder.onnx'],
  ['edgetam-video', 'memory_attention_shared.onnx'],
  ['edgetam-video', 'tracked_mask_decoder.onnx'],
  ['edgetam-video', 'parameters.json'],
] as const;
const VIDEO_FILES = FILES.slice(2).map(([, name]) => name);
for (const [from, name] of FILES) cpSync(join(fixtures, from, name), join(folder, name));
const manifest = (await Bun.file(join(fixtures, 'edgetam-video/manifest.json')).json()) as Manifest;

function openSet(): TrackerModel & { edgetam: EdgeTamGraphs } {
  const [{ video, click, encoder, imageSize, mean, std }] = inspectSegmentFolder(folder, 'cpu');
  if (!video?.edgetam || !click) throw new Error('the set was not recognised');
  const source = ({ file }: SegmentGraph) => ({ name: 'tiny', file, version: 1, bytes: 1 });
  const { maskSize, ...limits } = video.sizes;
  return {
    name: 'tiny',
    imageSize,
    maskSize,
    mean,
    std,
    encoder: source(encoder),
    clickDecoder: source(click.decoder),
    memoryAttention: source(video.attention),
    memoryEncoder: source(video.memory),
    maskPrompt: null,
    edgetam: { decoder: source(video.edgetam.decoder), bank: video.edgetam.bank },
    limits,
  };
}

const model = openSet();

/** As the reference draws it. */
function frameOf(index: number): VideoFrame {
  const { side } = manifest;
  const squares = [
    [10 + 2 * index, 18, 250],
    [40 - 2 * index, 32, 190],
  ];
  const pixels = new Uint8Array(side * side * 3).map((_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % side, Math.floor(i / 3 / side)];
    const last = squares.findLast(
      ([left, top]) => x >= left && x < left + 16 && y >= top && y < top + 14,
    );
    return last ? last[2] - 30 * c : (3 * x + 5 * y + 40 * c) % 128;
  });
  return { pixels, size: { width: side, height: side } };
}

function iou(logits: Float32Array, packed: string): number {
  const bytes = Uint8Array.fromHex(packed);
  let [both, either] = [0, 0];
  logits.forEach((logit, i) => {
    const expected = (bytes[i >> 3] >> (7 - (i & 7))) & 1;
    both += Number(logit > 0 && expected === 1);
    either += Number(logit > 0 || expected === 1);
  });
  return either === 0 ? 1 : both / either;
}

/** The worst over the clip. */
async function follow(backend: Backend, set: TrackerModel, frames: number) {
  const tracker = new Tracker(backend, new OpenModels(backend), set, { frames: manifest.frames });
  const worst = { iou: 1, logit: 0, score: 0, compared: 0, absent: 0 };
  const expected = [...manifest.results];
  const compare = async (id: number, frame: number, objectScore: number) => {
    const result = expected.shift();
    expect([id, frame]).toEqual([result?.object, result?.frame] as number[]);
    if (!result) return;
    const logits = (await tracker.logits(id, frame)) as Float32Array;
    worst.compared++;
    worst.absent += Number(objectScore <= 0);
    worst.iou = Math.min(worst.iou, iou(logits, result.mask));
    worst.score = Math.max(worst.score, Math.abs(objectScore - result.score));
    const errors = result.logits.map((b, i) => Math.abs(b - logits[i * manifest.logit_step]));
    worst.logit = Math.max(worst.logit, ...errors);
  };
  for (const point of manifest.clicks) {
    const click = { points: [point], labels: [1 as const], box: null };
    const { id, objectScore } = await tracker.addPrompt(0, frameOf(0), click);
    await compare(id, 0, objectScore);
  }
  for (let index = 1; index < frames; index++) {
    for (const { id, objectScore } of await tracker.step(index, frameOf(index), 1)) {
      await compare(id, index, objectScore);
    }
  }
  tracker.dispose();
  return worst;
}

test('the set is recognised, its sizes read from the graphs', () => {
  const { bank } = model.edgetam;
  expect([model.imageSize, model.maskSize]).toEqual([64, 16]);
  expect(model.limits).toEqual({ timeRows: 7, conditioning: 1, pointers: 16 });
  const { channels, grid, memoryChannels, memoryTokens, bankTokens, maskInput } = bank;
  expect([channels, grid, memoryChannels, memoryTokens]).toEqual([16, 4, 8, 16]);
  expect([bankTokens, maskInput]).toEqual([7 * 16 + 16 * 2, 64]);
});

test('a folder without one of the four files does not follow', async () => {
  for (const name of VIDEO_FILES) {
    const part = mkdtempSync(join(folder, 'part-'));
    for (const [, other] of FILES) {
      if (other !== name) cpSync(join(folder, other), join(part, other));
    }
    expect(inspectSegmentFolder(part, 'cpu')[0].video).toBeNull();
  }
});

test('parameters of another model are refused, with what differs', async () => {
  const other = mkdtempSync(join(folder, 'other-'));
  for (const [, name] of FILES) cpSync(join(folder, name), join(other, name));
  const file = join(other, 'parameters.json');
  const read = await Bun.file(file).json();
  read.parameters.no_memory_embedding.pop();
  await Bun.write(file, JSON.stringify(read));
  expect(() => inspectSegmentFolder(other, 'cpu')).toThrow('15 of no memory');
  delete read.parameters.no_object_pointer;
  await Bun.write(file, JSON.stringify(read));
  expect(() => inspectSegmentFolder(other, 'cpu')).toThrow('no_object_pointer is missing');
});

test('positions are of y, then x, in pairs of sine and cosine', () => {
  const positions = sinePositions({ ...model.edgetam.bank, grid: 64, channels: 256 });
  // Cell (0, 1): y is the first half's, x the second's; by the formula, channels 0, 1, 128, 129.
  const at = [0, 1, 128, 129].map((c) => positions[256 + c]);
  const [y, x] = [1, 2].map((place) => (place / (64 + 1e-6)) * 2 * Math.PI);
  const expected = [Math.sin(y), Math.cos(y), Math.sin(x), Math.cos(x)];
  at.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 6);
  });
});

describe.each(devices)("EdgeTAM's set on %s", (_, backend) => {
  const frames = backend.info.software ? 5 : manifest.frames;

  test('masks and scores are those of the reference', async () => {
    const worst = await follow(backend, model, frames);
    expect(worst.compared).toBe(frames * manifest.clicks.length);
    expect(worst.absent).toBeGreaterThan(0);
    expect(worst.iou).toBeGreaterThanOrEqual(0.99);
    expect(worst.logit).toBeLessThan(backend.info.kind === 'cpu' ? 1e-3 : 1e-2);
    expect(worst.score).toBeLessThan(1e-3);
  });

  const { bank } = model.edgetam;
  test.skipIf(backend.info.software).each([
    ['the no-memory embedding left in', { noMemory: new Float32Array(bank.channels) }],
    ['no time', { time: new Float32Array(bank.time.length) }],
    ['no pointer for an absent object', { noObjectPointer: new Float32Array(bank.channels) }],
  ] as const)('control: with %s they are others', async (_name, altered: Partial<FixedBank>) => {
    const edgetam = { ...model.edgetam, bank: { ...bank, ...altered } };
    const worst = await follow(backend, { ...model, edgetam }, frames);
    expect(worst.logit).toBeGreaterThan(2e-2);
    if (!altered.noObjectPointer) expect(worst.iou).toBeLessThan(0.99);
  });
});

test('an object starts from its mask, and its pointer is the first tracked frame’s', async () => {
  const [[, backend]] = devices;
  const tracker = new Tracker(backend, new OpenModels(backend), model, { frames: 4 });
  const { side } = manifest;
  const data = new Uint8Array(side * side).map((_, i) => Number(i % side < 20 && i < 40 * side));
  const mask = { data, width: side, height: side };
  const started = await tracker.addPrompt(0, frameOf(0), { mask });
  expect(started.area).toBeGreaterThan(0.9 * 800);
  for (const index of [1, 2, 3]) {
    const [found] = await tracker.step(index, frameOf(index), 1);
    expect(Number.isFinite(found.objectScore)).toBe(true);
  }
  tracker.dispose();
  expect(tracker.bytes).toBe(0);
});
