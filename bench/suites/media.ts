import { type BenchMasks, CASES, computeMasks } from '../../kernels/mask-rle-bits/bench_masks.ts';
import { maskRleWriteCpu } from '../../kernels/mask-rle-write/cpu.ts';
import {
  chooseCloudForm,
  chooseDepthForm,
  respondCloud,
  respondDepth,
} from '../../src/depth/respond.ts';
import type { DepthResult } from '../../src/depth/service.ts';
import { decodeBase64, encodeBase64 } from '../../src/media/base64.ts';
import { decodeImage } from '../../src/media/image.ts';
import { countsToString } from '../../src/media/rle.ts';
import { countsFromChanges } from '../../src/media/rle_pixels.ts';
import type { BenchContext } from '../measurement.ts';
import { drawDepth, PICTURE, requestPicture } from '../picture.ts';
import { sampleInTurn, type Timed } from '../sampler.ts';

const SIZE = `${PICTURE.width}x${PICTURE.height}`;

interface MediaCase extends Timed {
  /** Milliseconds that it may take, where a bound is set. */
  readonly boundMs?: number;
}

/** What the main thread does around the engine: decoding requests, encoding answers. */
export async function run(context: BenchContext): Promise<void> {
  for (const [stage, cases] of Object.entries({
    decode: await decodings(),
    encode: [...encodings(), encodingRuns(CASES.photo, 1), encodingRuns(CASES.noise)],
  })) {
    const wanted = cases.filter(({ name }) => context.wants(stage, name));
    const sampled = await sampleInTurn(wanted);
    for (const [index, { name, samples }] of sampled.entries()) {
      const { boundMs } = wanted[index];
      context.report(stage, name, samples, boundMs === undefined ? '' : `at most ${boundMs} ms`);
    }
  }
}

async function decodings(): Promise<MediaCase[]> {
  const file = await requestPicture();
  const text = encodeBase64(file);
  const limits = { maxBytes: 1 << 26, maxPixels: 1 << 26, field: 'image' };
  return [
    { name: `JPEG ${SIZE} ${file.byteLength >> 10} KiB`, run: () => decodeImage(file, limits) },
    { name: `base64 of that`, run: () => decodeBase64(text, limits) },
  ];
}

/** Whole answers, as the routes make them, body and headers. */
function encodings(): MediaCase[] {
  const depth = sampleResult(false);
  const cloud = sampleResult(true);
  const depthAs = (name: string, accept: string, colormap?: 'turbo'): Timed => ({
    name: `depth ${SIZE} ${name}`,
    run: async () =>
      (await respondDepth(depth, chooseDepthForm(accept, 'metre', colormap))).bytes(),
  });
  const cloudAs = (name: string, accept: string): Timed => ({
    name: `cloud ${SIZE} ${name}`,
    run: async () => (await respondCloud(cloud, chooseCloudForm(accept, false))).bytes(),
  });
  return [
    depthAs('JSON', 'application/json'),
    depthAs('raw', 'application/octet-stream'),
    depthAs('npy', 'application/x-npy'),
    depthAs('png 16-bit', 'image/png'),
    depthAs('png turbo', 'image/png', 'turbo'),
    cloudAs('JSON', 'application/json'),
    cloudAs('raw', 'application/octet-stream'),
    cloudAs('ply with colours', 'model/ply'),
  ];
}

/** COCO's string of one mask of the kernels' benchmarks. */
function encodingRuns(given: BenchMasks, boundMs?: number): MediaCase {
  const { bits, bases, changes, size } = computeMasks(given);
  const positions = new Uint32Array(changes);
  maskRleWriteCpu(bits, bases, positions, size);
  const counts = countsFromChanges(positions, given.width * given.height);
  return {
    name: `RLE string ${given.width}x${given.height} ${given.content}, ${counts.length} runs`,
    boundMs,
    run: () => countsToString(counts),
  };
}

/** What the engine gives for one picture. */
function sampleResult(withCloud: boolean): DepthResult {
  const depth = drawDepth();
  return {
    depth,
    min: 0.8,
    max: 7,
    points: withCloud ? new Float32Array(depth.length * 3).map((_, i) => depth[i % 999]) : null,
    colors: withCloud ? new Uint8Array(depth.length * 3).map((_, i) => i * 7) : null,
    size: PICTURE,
    kind: 'metric',
    model: 'depth-mini',
    exact: true,
    timings: { decode: 1, queue: 1, preprocess: 1, infer: 1, postprocess: 1 },
  };
}
