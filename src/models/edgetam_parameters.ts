import { readFileSync } from 'node:fs';
import { ModelError } from './errors.ts';
import type { OnnxHeader } from './onnx_header.ts';

/**
 * What the host does between the graphs of EdgeTAM's video set (twinkling-reality/rotyl, release
 * `edgetam-v1`): sizes from the graphs' headers, values from its `parameters.json`.
 */
export interface FixedBank {
  /** C, of `image_embeddings.2`. */
  readonly channels: number;
  /** g, the side of `image_embeddings.2`. */
  readonly grid: number;
  /** Cm, of a memory's tokens. */
  readonly memoryChannels: number;
  /** T, tokens of one memory. */
  readonly memoryTokens: number;
  /** All tokens of the bank: `timeRows`·T, then those of the pointers. */
  readonly bankTokens: number;
  /** Side of the mask that the memory encoder takes. */
  readonly maskInput: number;
  /** [C], what the vision encoder adds to `image_embeddings.2`. */
  readonly noMemory: Float32Array;
  /** [timeRows, Cm], added to a memory's positions. */
  readonly time: Float32Array;
  /** [C], the pointer of an absent object. */
  readonly noObjectPointer: Float32Array;
  /** A mask's share s is remembered as s·scale + bias. */
  readonly scale: number;
  readonly bias: number;
}

interface Graphs {
  readonly attention: { readonly file: string; readonly header: OnnxHeader };
  readonly memory: { readonly file: string; readonly header: OnnxHeader };
}

/** EdgeTAM's `max_object_pointers_in_encoder`: the graphs hold the product with their tokens only. */
export const BANK_POINTERS = 16;

/**
 * @param file `parameters.json` of the set
 * @throws ModelError `format` for a file that lacks a value, `unknown-graph` where sizes disagree.
 */
export function readFixedBank(file: string, { attention, memory }: Graphs): FixedBank {
  const { parameters, constants } = readJson(file);
  const noMemory = floats(file, parameters, 'no_memory_embedding');
  const time = floats(file, parameters, 'memory_temporal_positional_encoding');
  const noObjectPointer = floats(file, parameters, 'no_object_pointer');
  const [bankTokens, , memoryChannels] = sizes(attention, 'memory', 3);
  const [cells, , channels] = sizes(attention, 'vision_features', 3);
  const [, , maskInput] = sizes(memory, 'mask_for_memory', 4);
  const rows = time.length / memoryChannels;
  const memoryTokens = (bankTokens - (channels / memoryChannels) * BANK_POINTERS) / rows;
  const grid = Math.sqrt(cells);
  const whole = [rows, memoryTokens, grid].every((size) => Number.isInteger(size) && size > 0);
  if (!whole || noMemory.length !== channels || noObjectPointer.length !== channels) {
    throw new ModelError(
      'unknown-graph',
      `${attention.file} takes ${bankTokens} tokens of ${memoryChannels} for ${cells} of ${channels}, ` +
        `but ${file} has ${time.length} values of time, ${noMemory.length} of no memory and ` +
        `${noObjectPointer.length} of no object; files of one set are expected`,
    );
  }
  const [scale, bias] = ['sigmoid_scale_for_mem_enc', 'sigmoid_bias_for_mem_enc'].map(
    (name) => floats(file, constants, name)[0],
  );
  const tokens = { memoryChannels, memoryTokens, bankTokens, maskInput };
  return { channels, grid, ...tokens, noMemory, time, noObjectPointer, scale, bias };
}

function readJson(file: string): { parameters?: unknown; constants?: unknown } {
  try {
    const read: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof read === 'object' && read !== null) return read;
  } catch (cause) {
    throw new ModelError('format', `${file} is no JSON: ${String(cause)}; take it from the set`);
  }
  throw new ModelError('format', `${file} is no JSON object; take it from the set`);
}

function floats(file: string, from: unknown, name: string): Float32Array {
  const value: unknown = (from as Record<string, unknown> | undefined)?.[name];
  const list = [value].flat(Number.POSITIVE_INFINITY);
  if (list.every((one) => typeof one === 'number' && Number.isFinite(one))) {
    return Float32Array.from(list as number[]);
  }
  throw new ModelError('format', `${file}: ${name} is missing or holds what is no number`);
}

function sizes({ file, header }: Graphs['memory'], name: string, axes: number): number[] {
  const dims = header.inputs.find((input) => input.name === name)?.dims ?? [];
  const known = dims.filter((size) => typeof size === 'number');
  if (dims.length === axes && known.length === axes) return known;
  throw new ModelError(
    'unknown-graph',
    `${file} takes ${name} [${dims.join(',')}]; ${axes} stated sizes are expected`,
  );
}
