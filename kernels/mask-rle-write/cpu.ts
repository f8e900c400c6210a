import { signedWords } from '../mask-rle-bits/signed_words.ts';
import type { PackedMasks } from '../mask-rle-count/cpu.ts';

/**
 * CPU twin of mask-rle-write.wgsl. One thread goes through a mask from its first column to its last,
 * so it has no use for the lanes' offsets.
 */
export function maskRleWriteCpu(
  bits: Uint32Array,
  bases: Uint32Array,
  changes: Uint32Array,
  { width, height, masks }: PackedMasks,
): void {
  const signed = signedWords(bits);
  const words = Math.ceil(height / 32);
  const spare = words * 32 - height;
  for (let mask = 0, at = 0; mask < masks; mask++) {
    let out = bases[mask];
    let before = 0;
    for (let x = 0; x < width; x++) {
      for (let i = 0; i < words; i++, at++) {
        const word = signed[at];
        if (word === 0 && before === 0) continue;
        const shift = i === words - 1 ? spare : 0;
        // Shifted up and back: past the last row the bits are 0, which is no change.
        let edges = ((word ^ ((word << 1) | before)) << shift) >>> shift;
        before = (word >>> (31 - shift)) & 1;
        while (edges !== 0) {
          changes[out++] = x * height + i * 32 + 31 - Math.clz32(edges & -edges);
          edges &= edges - 1;
        }
      }
    }
  }
}
