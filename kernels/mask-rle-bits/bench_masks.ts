/** What the benchmarks of the three mask-rle kernels run on. */
import { seeded } from '../../test/numbers.ts';
import { LANES, maskRleCountCpu, TOTALS } from '../mask-rle-count/cpu.ts';
import { maskRleBitsCpu } from './cpu.ts';
import { halfPixelPositions } from './positions.ts';

/** From square logits to masks of an image. */
export interface BenchMasks {
  readonly side: number;
  readonly width: number;
  readonly height: number;
  readonly masks: number;
  /** One object with a wavy outline a map, or noise: the most runs that can be. */
  readonly content: 'object' | 'noise';
}

export const CASES = {
  photo: { side: 256, width: 1920, height: 1080, masks: 1, content: 'object' },
  noise: { side: 256, width: 1920, height: 1080, masks: 1, content: 'noise' },
  large: { side: 256, width: 4096, height: 4096, masks: 1, content: 'object' },
  many: { side: 288, width: 640, height: 480, masks: 32, content: 'object' },
} as const satisfies Record<string, BenchMasks>;

/** The case's name in a table. */
export function titleOf({ side, width, height, masks, content }: BenchMasks): string {
  const count = masks === 1 ? '' : ` x${masks}`;
  return `${side}x${side} to ${width}x${height}${count} ${content}`;
}

/** float32 [masks, side, side]; about a quarter of each map is above 0. */
function drawLogits({ side, masks, content }: BenchMasks): Float32Array {
  const random = seeded(1);
  const logits = new Float32Array(masks * side * side);
  if (content === 'noise') return logits.map(() => random() * 16 - 8);
  return logits.map((_, i) => {
    const mask = Math.floor(i / (side * side));
    const x = (i % side) / side - 0.5;
    const y = (Math.floor(i / side) % side) / side - 0.45;
    const outline = 0.28 + 0.04 * Math.sin(Math.atan2(y, x) * 9 + mask);
    return (outline - Math.hypot(x, y)) * 60;
  });
}

/** All inputs and outputs of the passes, computed by the CPU twins. */
export function computeMasks(given: BenchMasks) {
  const { side, width, height, masks } = given;
  const logits = drawLogits(given);
  const selected = Uint32Array.from({ length: masks }, (_, index) => index);
  const across = halfPixelPositions(side, width);
  const down = halfPixelPositions(side, height);
  const bits = new Uint32Array(masks * width * Math.ceil(height / 32));
  const sizes = { src_width: side, src_height: side, dst_width: width, dst_height: height };
  const bitsParams = { ...sizes, masks, threshold: 0 };
  maskRleBitsCpu(logits, selected, across, down, bits, bitsParams);
  const offsets = new Uint32Array(masks * LANES);
  const totals = new Uint32Array(masks * TOTALS);
  const size = { width, height, masks };
  maskRleCountCpu(bits, offsets, totals, size);
  const bases = new Uint32Array(masks);
  let changes = 0;
  for (let mask = 0; mask < masks; mask++) {
    bases[mask] = changes;
    changes += totals[mask * TOTALS];
  }
  return { logits, selected, across, down, bits, offsets, bases, changes, bitsParams, size };
}
