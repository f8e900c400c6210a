/** What pycocotools and PyTorch gave: test/fixtures/mask-rle, described in its README. */
import { join } from 'node:path';

/** A mask's runs by pycocotools; `box` is [x, y, width, height]. */
interface ExpectedRuns {
  readonly counts: string;
  readonly area: number;
  readonly box: readonly number[];
}

/** A mask as bits or as rectangles [x, y, width, height]. */
interface MaskCase extends ExpectedRuns {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly bits?: string;
  readonly rectangles?: readonly (readonly [number, number, number, number])[];
}

/** Logits, and the masks of their upsampling to height × width. */
export interface LogitCase {
  readonly name: string;
  readonly shape: readonly [maps: number, height: number, width: number];
  /** Little-endian float32 in base64. */
  readonly logits: string;
  readonly height: number;
  readonly width: number;
  readonly masks: readonly ExpectedRuns[];
}

/** The mask of real logits at one size; its string as length and SHA-256. */
interface RealLogitCase {
  readonly height: number;
  readonly width: number;
  readonly length: number;
  readonly sha256: string;
  readonly area: number;
  readonly box: readonly number[];
}

interface Manifest {
  readonly masks: readonly MaskCase[];
  readonly logits: readonly LogitCase[];
  readonly real: {
    readonly logits: readonly RealLogitCase[];
    readonly coco: { readonly masks: number; readonly areasAndBoxes: string };
  };
}

const folder = join(import.meta.dir, '../../test/fixtures/mask-rle');
export const manifest = (await Bun.file(join(folder, 'manifest.json')).json()) as Manifest;

/** A case's mask [height, width], row by row, 0 or 1. */
export function drawMask({ height, width, bits, rectangles = [] }: MaskCase): Uint8Array {
  const mask = new Uint8Array(height * width);
  if (bits !== undefined) {
    const bytes = Uint8Array.fromBase64(bits);
    return mask.map((_, i) => (bytes[i >> 3] >> (7 - (i & 7))) & 1);
  }
  for (const [x, y, w, h] of rectangles) {
    for (let row = y; row < y + h; row++) mask.fill(1, row * width + x, row * width + x + w);
  }
  return mask;
}

/** A case's logits [maps, h, w]. */
export function readLogits({ logits }: LogitCase): Float32Array {
  return new Float32Array(Uint8Array.fromBase64(logits).buffer);
}

/** SHA-256 in hexadecimal. */
export function sha256(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex');
}
