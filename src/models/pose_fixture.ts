/**
 * Writes pairs of small ONNX files with the inputs and outputs of the published pose models, for tests
 * of what is recognised. They have no nodes: nothing can be run with them.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeOnnx, type FixtureModel } from './onnx_fixture.ts';

const NHWC = ['n', 160, 160, 6];
export const NCHW = ['n', 6, 160, 160];

export interface Graph {
  readonly inputs: readonly [string, string];
  readonly dims: readonly (number | string)[] | undefined;
  readonly outputs: Readonly<Record<string, readonly (number | string)[]>>;
  readonly dtype?: number;
}

export const PUBLISHED = {
  ngc: {
    refiner: {
      inputs: ['input1', 'input2'],
      dims: NHWC,
      outputs: { output1: ['n', 3], output2: ['n', 3] },
    },
    scorer: { inputs: ['input1', 'input2'], dims: NHWC, outputs: { output1: [1, 'n'] } },
  },
  'hugging-face': {
    refiner: {
      inputs: ['inputA', 'inputB'],
      dims: NCHW,
      outputs: { trans: ['n', 3], rot: ['n', 3] },
    },
    scorer: { inputs: ['inputA', 'inputB'], dims: NCHW, outputs: { score: ['n', 1] } },
  },
  cpp: {
    refiner: {
      inputs: ['render_input', 'transf_input'],
      dims: NHWC,
      outputs: { trans: ['n', 3], rot: ['n', 3] },
    },
    scorer: { inputs: ['render_input', 'transf_input'], dims: NHWC, outputs: { scores: [1, 'n'] } },
  },
} as const satisfies Record<string, Record<'refiner' | 'scorer', Graph>>;
export type Contract = keyof typeof PUBLISHED;
export const CONTRACTS = Object.keys(PUBLISHED) as Contract[];

export function io({ inputs, dims, outputs, dtype }: Graph): FixtureModel {
  return {
    inputs: inputs.map((name) => ({ name, dims, dtype })),
    outputs: Object.entries(outputs).map(([name, shape]) => ({ name, dims: shape })),
  };
}

export async function writePair(place: string, contract: Contract, names = ['a.onnx', 'b.onnx']) {
  await mkdir(place, { recursive: true });
  const { refiner, scorer } = PUBLISHED[contract];
  await writeFile(join(place, names[0]), encodeOnnx(io(refiner)));
  await writeFile(join(place, names[1]), encodeOnnx(io(scorer)));
}
