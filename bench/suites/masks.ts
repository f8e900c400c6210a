import sharp from 'sharp';
import { type BenchMasks, computeMasks } from '../../kernels/mask-rle-bits/bench_masks.ts';
import { maskRleWriteCpu } from '../../kernels/mask-rle-write/cpu.ts';
import { encodeMaskPng } from '../../src/media/mask_png.ts';
import { maskPolygons } from '../../src/media/outline.ts';
import { drawOverlay } from '../../src/media/overlay.ts';
import { boxOf, countsToString, decodeRle, encodeRle } from '../../src/media/rle.ts';
import { countsFromChanges } from '../../src/media/rle_pixels.ts';
import type { BenchContext } from '../measurement.ts';
import { requestPicture } from '../picture.ts';
import { sampleInTurn, type Timed } from '../sampler.ts';

const STAGE = 'masks';
const SIZE = { width: 1920, height: 1080 };
const OBJECTS: BenchMasks = { side: 256, ...SIZE, masks: 10, content: 'object' };
const NOISE: BenchMasks = { ...OBJECTS, masks: 1, content: 'noise' };

/** What is made of masks on the main thread and in the client, at 1080p. */
export async function run(context: BenchContext): Promise<void> {
  const cases = [await overlay(countsOf(OBJECTS)), ...[OBJECTS, NOISE].flatMap(formsOf)];
  const wanted = cases.filter(({ name }) => context.wants(STAGE, name));
  for (const { name, samples } of await sampleInTurn(wanted)) context.report(STAGE, name, samples);
}

/** The picture with ten objects, each of a quarter of it, as a PNG. */
async function overlay(masks: readonly Uint32Array[]): Promise<Timed> {
  const pixels = await sharp(await requestPicture())
    .resize({ ...SIZE, fit: 'fill' })
    .raw()
    .toBuffer();
  const objects = masks.map((counts, i) => ({
    counts,
    label: `object ${i}`,
    score: 0.9,
    box: boxOf(counts, SIZE.height),
  }));
  return {
    name: `overlay ${titleOf(OBJECTS)} x${masks.length}`,
    run: () => drawOverlay({ pixels, ...SIZE, objects }),
  };
}

/** The other forms of one mask, and the client's reading. */
function formsOf(given: BenchMasks): Timed[] {
  const [counts] = countsOf(given);
  const text = countsToString(counts);
  const { width, height } = SIZE;
  const mask = decodeRle(text, height, width);
  const named = (form: string) => `${form} ${titleOf(given)}`;
  return [
    { name: named('png'), run: () => encodeMaskPng(counts, SIZE) },
    { name: named('polygons'), run: () => maskPolygons(counts, SIZE) },
    { name: named('decode'), run: () => decodeRle(text, height, width) },
    { name: named('encode'), run: () => encodeRle(mask, height, width) },
  ];
}

function titleOf({ content }: BenchMasks): string {
  return `${SIZE.width}x${SIZE.height} ${content}`;
}

/** The runs of each mask. */
function countsOf(given: BenchMasks): Uint32Array[] {
  const { bits, bases, changes, size } = computeMasks(given);
  const positions = new Uint32Array(changes);
  maskRleWriteCpu(bits, bases, positions, size);
  return [...bases].map((from, i) =>
    countsFromChanges(positions.subarray(from, bases[i + 1]), SIZE.width * SIZE.height),
  );
}
