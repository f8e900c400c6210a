/** The clip in test/fixtures/video-parity, and what transformers' tracker gives for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeImage } from '../../media/image.ts';
import { decodeNpy } from '../../media/npy.ts';
import type { VideoFrame } from './frame_features.ts';
import { SAM_LIMITS, type TrackerModel } from './model.ts';
import type { PointPrompt } from './tracked_object.ts';

interface Result {
  readonly frame: number;
  readonly object: number;
  readonly score: number;
  /** Of the chosen mask; left out where an earlier result is shown again. */
  readonly iou?: number;
}

interface PromptStep extends PointPrompt {
  readonly op: 'prompt';
  readonly object: number;
  readonly frame: number;
  readonly results: readonly Result[];
}

interface MaskStep {
  readonly op: 'mask';
  readonly object: number;
  readonly frame: number;
  /** COCO's counts string. */
  readonly mask: string;
  readonly results: readonly Result[];
}

interface TrackStep {
  readonly op: 'track';
  readonly first: number;
  readonly last: number;
  readonly results: readonly Result[];
}

export type Step = PromptStep | MaskStep | TrackStep;

export interface Case {
  readonly name: string;
  /** Whether the reference's memories are rounded to bfloat16, as transformers stores them. */
  readonly rounded: boolean;
  /** Place of the case's first result in the arrays. */
  readonly first: number;
  /** The last frame's masks at the clip's size, by object. */
  readonly last_rle: readonly string[] | null;
  readonly steps: readonly Step[];
}

interface Manifest {
  readonly clip: {
    readonly file: string;
    readonly frames: number;
    readonly width: number;
    readonly height: number;
  };
  readonly mask_size: number;
  readonly logits: { readonly offset: number; readonly step: number };
  readonly click_decoder_patches: readonly { readonly offset: number; readonly base64: string }[];
  readonly cases: readonly Case[];
}

const folder = join(import.meta.dir, '../../../test/fixtures/video-parity');
const shared = join(import.meta.dir, '../../../test/fixtures/segment-parity');
const manifest = (await Bun.file(join(folder, 'manifest.json')).json()) as Manifest;
const masks = decodeNpy(await Bun.file(join(folder, 'masks.npy')).bytes());
const logits = decodeNpy(await Bun.file(join(folder, 'logits.npy')).bytes());
const { width, height } = manifest.clip;
const clip = await decodeImage(await Bun.file(join(folder, manifest.clip.file)).bytes(), {
  maxBytes: 1e6,
  maxPixels: 1e6,
});

export const { cases } = manifest;
export const clipSize = { width, height };
export const clipFrames = manifest.clip.frames;
const maskSize = manifest.mask_size;

/** A frame of the clip; the pixels are the caller's own. */
export function frameOf(index: number): VideoFrame {
  const bytes = width * height * 3;
  return { pixels: clip.data.slice(index * bytes, (index + 1) * bytes), size: clipSize };
}

/** The mask at the decoder's size, [m, m], 0 or 1. */
export function expectedMask(place: number): Uint8Array {
  const [, bytes] = masks.shape;
  const packed = masks.data.subarray(place * bytes, (place + 1) * bytes);
  return Uint8Array.from(
    { length: maskSize ** 2 },
    (_, i) => (packed[i >> 3] >> (7 - (i & 7))) & 1,
  );
}

/** A part of the logits, in float16's precision, and their places in the mask. */
export function expectedLogits(place: number): { values: Float16Array; places: number[] } {
  const { offset, step } = manifest.logits;
  const side = Math.ceil((maskSize - offset) / step);
  const bits = (logits.data as Uint16Array).slice(place * side ** 2, (place + 1) * side ** 2);
  const places = Array.from(
    { length: side ** 2 },
    (_, i) => (offset + Math.floor(i / side) * step) * maskSize + offset + (i % side) * step,
  );
  return { values: new Float16Array(bits.buffer), places };
}

/** The click decoder of segment-parity with its object score turned round; written to `to`. */
async function patchedDecoder(to: string): Promise<string> {
  const bytes = await Bun.file(join(shared, 'click-decoder.onnx')).bytes();
  for (const { offset, base64 } of manifest.click_decoder_patches) {
    bytes.set(Uint8Array.fromBase64(base64), offset);
  }
  const file = join(to, 'click-decoder.onnx');
  await Bun.write(file, bytes);
  return file;
}

function source(file: string) {
  return { name: 'tiny', file, version: 1, bytes: 1 };
}

/** The tiny model, and how to remove the file that was written for it. */
export async function openTiny(): Promise<{ model: TrackerModel; remove: () => void }> {
  const scratch = mkdtempSync(join(tmpdir(), 'triptych-video-parity-'));
  const model: TrackerModel = {
    name: 'tiny',
    imageSize: width,
    maskSize,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
    encoder: source(join(shared, 'vision-encoder.onnx')),
    clickDecoder: source(await patchedDecoder(scratch)),
    memoryAttention: source(join(folder, 'memory-attention.onnx')),
    memoryEncoder: source(join(folder, 'memory-encoder.onnx')),
    maskPrompt: source(join(folder, 'mask-prompt.onnx')),
    edgetam: null,
    limits: SAM_LIMITS,
  };
  return { model, remove: () => rmSync(scratch, { recursive: true, force: true }) };
}
