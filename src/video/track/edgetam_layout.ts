import type { Backend } from '../../compute/backend.ts';
import type { Tensor } from '../../compute/tensor.ts';
import type { FixedBank } from '../../models/edgetam_parameters.ts';

/** A memory that is attended to, as the host has it. */
export interface BankEntry {
  /** float32 [2, T, Cm]: features, then positions. */
  readonly values: Float32Array;
  /** Row of the time table. */
  readonly row: number;
}

/** Added to the scores of tokens that are not there; small enough for half precision. */
const ABSENT = -1e4;

/**
 * `image_embeddings.2` as memory attention and the memory encoder take it: the published vision
 * encoder adds an embedding that belongs to frames without memory.
 *
 * @param alone float32 [1, C, g, g]
 * @returns float32 [1, C, g, g]
 */
export async function withoutNoMemory(
  backend: Backend,
  alone: Tensor<'float32'>,
  { noMemory, grid }: FixedBank,
): Promise<Tensor<'float32'>> {
  const values = await backend.download(alone);
  const raw = values.map((value, i) => value - noMemory[Math.floor(i / grid ** 2)]);
  return backend.upload(raw, alone.dims) as Tensor<'float32'>;
}

/** [rows, columns] → [columns, rows]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column];
    }
  }
  return turned;
}

/**
 * Positions of the cells of a grid, float32 [g·g, C]: half of the channels for y, half for x, of pairs
 * sin, cos of 2π·(i + 1)/(g + 1e-6) / 10000^(2⌊c/2⌋/(C/2)) (transformers' sine position embedding of
 * EdgeTAM, normalised).
 */
export function sinePositions({ grid, channels }: FixedBank): Float32Array {
  const half = channels / 2;
  const positions = new Float32Array(grid * grid * channels);
  for (let cell = 0; cell < grid * grid; cell++) {
    const at = [Math.floor(cell / grid), cell % grid];
    for (let c = 0; c < channels; c++) {
      const i = c % half;
      const angle = ((at[Math.floor(c / half)] + 1) / (grid + 1e-6)) * 2 * Math.PI;
      const phase = angle / 10_000 ** ((2 * Math.floor(i / 2)) / half);
      positions[cell * channels + c] = i % 2 === 0 ? Math.sin(phase) : Math.cos(phase);
    }
  }
  return positions;
}

/**
 * The bank at the one size that the graph takes: memories from the front, pointers at the end, where
 * the graph leaves rotary positions out. Pointers have no positions.
 *
 * @param pointers each float32 [C], cut into C / Cm tokens
 * @returns `memory` and `positions` [tokens, Cm], `mask` [tokens]
 */
export function layOutBank(
  { bankTokens, memoryTokens, memoryChannels, time }: FixedBank,
  memories: readonly BankEntry[],
  pointers: readonly Float32Array[],
): Record<'memory' | 'positions' | 'mask', Float32Array> {
  const memory = new Float32Array(bankTokens * memoryChannels);
  const positions = new Float32Array(bankTokens * memoryChannels);
  const mask = new Float32Array(bankTokens).fill(ABSENT);
  const size = memoryTokens * memoryChannels;
  for (const [slot, { values, row }] of memories.entries()) {
    memory.set(values.subarray(0, size), slot * size);
    for (let i = 0; i < size; i++) {
      const when = time[row * memoryChannels + (i % memoryChannels)];
      positions[slot * size + i] = values[size + i] + when;
    }
    mask.fill(0, slot * memoryTokens, (slot + 1) * memoryTokens);
  }
  const start = (time.length / memoryChannels) * memoryTokens;
  for (const [place, pointer] of pointers.entries()) {
    const tokens = pointer.length / memoryChannels;
    const first = start + place * tokens;
    memory.set(pointer, first * memoryChannels);
    mask.fill(0, first, first + tokens);
  }
  return { memory, positions, mask };
}
