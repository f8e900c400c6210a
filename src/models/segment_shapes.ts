import { basename } from 'node:path';
import type { GraphTensor } from './contracts.ts';
import { ModelError } from './errors.ts';
import type { OnnxHeader } from './onnx_header.ts';
import type { ProcessorConfig } from './processor_config.ts';
import type { SegmentFamily } from './segment_contracts.ts';
import { expectedInputs, type RecognisedPart, type SegmentPart } from './segment_parts.ts';

interface NamedGraph {
  readonly file: string;
  readonly header: OnnxHeader;
}

/** What each family needs beside its encoder, one group of parts a capability. */
const NEEDED: Readonly<Record<SegmentFamily, readonly (readonly SegmentPart[])[]>> = {
  'single-backbone': [['text', 'concept'], ['click']],
  usls: [['text', 'concept']],
  'transformers-tracker': [['click']],
};

/** What would make a complete set of the parts there are, a line a family. */
export function missingParts(parts: readonly RecognisedPart[]): string {
  const families = Object.keys(NEEDED) as SegmentFamily[];
  const begun = families.filter((family) => parts.some((part) => part.family === family));
  const lines = (begun.length > 0 ? begun : families).map((family) => {
    const groups = NEEDED[family].map((group) =>
      ['encoder' as const, ...group]
        .filter((part) => !parts.some((one) => one.family === family && one.part === part))
        .map((part) => `${part} (inputs ${expectedInputs(family, part)})`)
        .join(' and '),
    );
    return `  ${family}: ${groups.join(', or ')}`;
  });
  return `Missing for one\n${lines.join('\n')}`;
}

/**
 * The side of the encoder's square input: as the graph fixes it, else as the processor's
 * configuration or the graph's metadata say.
 *
 * @throws ModelError `unknown-graph` where neither says, or it is no square.
 */
export function imageSizeOf(encoder: NamedGraph, config: ProcessorConfig | undefined): number {
  const [{ dims }] = encoder.header.inputs;
  const [, , height, width] = dims;
  const stated = Number(encoder.header.metadata.image_size);
  const size = typeof height === 'number' ? height : (config?.size ?? stated);
  const square = typeof width !== 'number' || width === size;
  if (Number.isInteger(size) && size > 0 && square && fourAxes(dims)) return size;
  throw new ModelError(
    'unknown-graph',
    `${encoder.file} takes pictures of [${dims.join(',')}]; [B,3,S,S] is expected, ` +
      'S from a preprocessor_config.json beside it where the graph leaves it free',
  );
}

function fourAxes(dims: readonly (number | string)[]): boolean {
  return dims.length === 4 && (dims[1] === 3 || typeof dims[1] === 'string');
}

/**
 * Holds what one graph gives against what another takes under the same name.
 *
 * @throws ModelError `unknown-graph` where they differ: the graphs are of different models.
 */
export function requireFit(graphs: readonly NamedGraph[]): void {
  for (const giver of graphs) {
    for (const taker of graphs) {
      for (const output of giver.header.outputs) {
        const input = taker.header.inputs.find(({ name }) => name === output.name);
        if (giver === taker || !input || alike(output, input)) continue;
        throw new ModelError(
          'unknown-graph',
          `${basename(giver.file)} gives ${output.name} [${output.dims.join(',')}], but ` +
            `${basename(taker.file)} takes [${input.dims.join(',')}]; graphs of one model are expected`,
        );
      }
    }
  }
}

/** Equal where both are stated; the first axis counts images or prompts. */
function alike(output: GraphTensor, input: GraphTensor): boolean {
  if (output.dims.length === 0 || input.dims.length === 0) return true;
  if (output.dims.length !== input.dims.length) return false;
  return output.dims.every((size, axis) => {
    const other = input.dims[axis];
    return axis === 0 || typeof size === 'string' || typeof other === 'string' || size === other;
  });
}
