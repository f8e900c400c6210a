import { maskRleBits } from '../../kernels/mask-rle-bits/kernel.ts';
import { halfPixelPositions } from '../../kernels/mask-rle-bits/positions.ts';
import { LANES, TOTALS } from '../../kernels/mask-rle-count/cpu.ts';
import { maskRleCount } from '../../kernels/mask-rle-count/kernel.ts';
import { maskRleWrite } from '../../kernels/mask-rle-write/kernel.ts';
import type { Backend } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import { elementCount, type Tensor } from '../compute/tensor.ts';
import type { PixelBox } from '../media/rle.ts';
import { countsFromChanges } from '../media/rle_pixels.ts';

/** A mask as COCO's runs; `countsToString` makes pycocotools' string of them. */
export interface EncodedMask {
  /** Lengths of alternating runs outside and inside, column by column, the first one outside. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Pixels inside. */
  readonly area: number;
  /** Tight, in pixels; all 0 for an empty mask. */
  readonly box: PixelBox;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface EncodeOptions {
  /** Which maps, in which order; default: all. */
  readonly selected?: readonly number[];
  /** A pixel is inside where its logit is above this; default 0. */
  readonly threshold?: number;
  /** Packed masks held at a time, at least one mask; default 16 MiB: 64 of 1920×1080. */
  readonly maxPackedBytes?: number;
}

/** WebGPU's limit on workgroups along an axis. */
const MAX_MASKS = 65_535;

/**
 * Masks at the image's size from low-resolution logits, as COCO runs: bilinear upsampling as
 * `torch.nn.functional.interpolate(align_corners=False)`, above the threshold, runs. All of it on
 * the device; only the runs come back.
 *
 * The runs are counted before they are written, and the counts read back between the two (24 bytes
 * a mask), because their number depends on the data: so the second readback has just the right size,
 * and no guess can be too small.
 *
 * @param logits float32 [..., h, w], finite; stays the caller's.
 * @param image size of the masks, in pixels.
 * @throws {RangeError} for a map or a size that doesn't exist.
 */
export async function encodeMasks(
  backend: Backend,
  logits: Tensor<'float32'>,
  image: Size,
  { selected, threshold = 0, maxPackedBytes = 16 << 20 }: EncodeOptions = {},
): Promise<EncodedMask[]> {
  const maps = elementCount(logits.dims.slice(0, -2));
  const chosen = selected ?? Array.from({ length: maps }, (_, index) => index);
  check(logits, maps, image, chosen);
  const bytesPerMask = image.width * Math.ceil(image.height / 32) * 4;
  const batch = Math.min(Math.max(1, Math.floor(maxPackedBytes / bytesPerMask)), MAX_MASKS);
  const encoded: EncodedMask[] = [];
  for (let first = 0; first < chosen.length; first += batch) {
    const some = chosen.slice(first, first + batch);
    encoded.push(...(await encodeBatch(backend, logits, image, some, threshold)));
  }
  return encoded;
}

function encodeBatch(
  backend: Backend,
  logits: Tensor<'float32'>,
  { width, height }: Size,
  selected: readonly number[],
  threshold: number,
): Promise<EncodedMask[]> {
  const masks = selected.length;
  const size = { width, height, masks };
  const [src_height, src_width] = logits.dims.slice(-2);
  return withTensors(backend, async (keep) => {
    const which = keep(backend.upload(Uint32Array.from(selected), [masks]));
    const across = keep(backend.upload(halfPixelPositions(src_width, width), [width]));
    const down = keep(backend.upload(halfPixelPositions(src_height, height), [height]));
    const bits = keep(backend.empty('uint32', [masks, width, Math.ceil(height / 32)]));
    backend.run(maskRleBits, [logits, which, across, down, bits], {
      src_width,
      src_height,
      dst_width: width,
      dst_height: height,
      masks,
      threshold,
    });
    const offsets = keep(backend.empty('uint32', [masks, LANES]));
    const totals = keep(backend.empty('uint32', [masks, TOTALS]));
    backend.run(maskRleCount, [bits, offsets, totals], size);
    const found = await backend.download(totals);

    const bases = new Uint32Array(masks);
    for (let mask = 1; mask < masks; mask++) {
      bases[mask] = bases[mask - 1] + found[(mask - 1) * TOTALS];
    }
    const total = bases[masks - 1] + found[(masks - 1) * TOTALS];
    let changes = new Uint32Array(0);
    if (total > 0) {
      const written = keep(backend.empty('uint32', [total]));
      const starts = keep(backend.upload(bases, [masks]));
      backend.run(maskRleWrite, [bits, offsets, starts, written], size);
      changes = await backend.download(written);
    }
    return Array.from(bases, (base, mask) => {
      const [count, area, left, top, right, bottom] = found.subarray(mask * TOTALS);
      const counts = countsFromChanges(changes.subarray(base, base + count), width * height);
      return { counts, area, box: { x: left, y: top, width: right - left, height: bottom - top } };
    });
  });
}

function check(
  { dims }: Tensor<'float32'>,
  maps: number,
  { width, height }: Size,
  selected: readonly number[],
): void {
  const isSize = (value: number) => Number.isInteger(value) && value > 0;
  if (dims.length < 2 || !dims.slice(-2).every(isSize)) {
    throw new RangeError(
      `logits of shape [${dims}]; expected [..., height, width], both from 1 on`,
    );
  }
  if (!isSize(width) || !isSize(height) || width * height > 0xffff_ffff) {
    throw new RangeError(`an image of ${width}×${height}; expected 1×1 to 2³² − 1 pixels`);
  }
  const wrong = selected.find((map) => !Number.isInteger(map) || map < 0 || map >= maps);
  if (wrong !== undefined) {
    throw new RangeError(`map ${wrong} of logits [${dims}]; expected one of 0 to ${maps - 1}`);
  }
}
