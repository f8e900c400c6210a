import { type GraphIO, type GraphTensor, listTensors } from './contracts.ts';
import type { ModelSource } from './open_models.ts';

/**
 * Which published pair of FoundationPose graphs a model follows; it decides names and layout.
 *
 * - `ngc`: NVIDIA NGC nvidia/isaac/foundationpose, `1.0.1_onnx`.
 * - `hugging-face`: Hugging Face nvidia/foundationpose, and NGC nvidia/tao/foundationpose.
 * - `cpp`: zz990099/foundationpose_cpp.
 */
export type PoseContract = 'ngc' | 'hugging-face' | 'cpp';

/** Side of the crops that all of them take, in pixels. */
export const POSE_CROP = 160;

/** Channels of an input: RGB in [0, 1], and xyz less the pose's translation, by half the diameter. */
const CHANNELS = 6;

/** How either graph is fed: float32 [N, 160, 160, 6], or [N, 6, 160, 160] with `channelsFirst`. */
interface PoseInputs {
  /** What the mesh looks like at the pose. */
  readonly rendered: string;
  /** What the camera saw in the same crop. */
  readonly observed: string;
  readonly channelsFirst: boolean;
}

export interface RefinerTensors extends PoseInputs {
  readonly part: 'refiner';
  /** float32 [N, 3], in half diameters. */
  readonly translation: string;
  /** float32 [N, 3]: axis times angle, before tanh, in 20°. */
  readonly rotation: string;
}

export interface ScorerTensors extends PoseInputs {
  readonly part: 'scorer';
  /** float32 [1, N] or [N, 1]: logits, each of which depends on the whole set. */
  readonly scores: string;
}

/** What a graph is within a pair, and how its tensors are called. */
export interface RecognisedPose {
  readonly contract: PoseContract;
  readonly tensors: RefinerTensors | ScorerTensors;
}

/** A learned pose model as the engine needs it: plain data. */
export interface LearnedPoseModel {
  /** As responses and `/health` show it. */
  readonly name: string;
  readonly contract: PoseContract;
  readonly refiner: PoseGraph<RefinerTensors>;
  readonly scorer: PoseGraph<ScorerTensors>;
}

/** One of the two graphs: its file, and what its tensors are called. */
interface PoseGraph<Tensors> {
  readonly source: ModelSource;
  readonly tensors: Tensors;
}

interface Pattern {
  readonly contract: PoseContract;
  readonly rendered: string;
  readonly observed: string;
  /** Where the shapes leave it unsaid. */
  readonly channelsFirst: boolean;
  readonly translation: string;
  readonly rotation: string;
  /** The first that is there. */
  readonly scores: readonly string[];
}

const PATTERNS: readonly Pattern[] = [
  {
    contract: 'ngc',
    rendered: 'input1',
    observed: 'input2',
    channelsFirst: false,
    translation: 'output1',
    rotation: 'output2',
    scores: ['output1'],
  },
  {
    contract: 'hugging-face',
    rendered: 'inputA',
    observed: 'inputB',
    channelsFirst: true,
    translation: 'trans',
    rotation: 'rot',
    scores: ['score', 'score_logit'],
  },
  {
    contract: 'cpp',
    rendered: 'render_input',
    observed: 'transf_input',
    channelsFirst: false,
    translation: 'trans',
    rotation: 'rot',
    scores: ['scores'],
  },
];

/**
 * What a graph of these inputs and outputs is, so that published files run unmodified: null where
 * its inputs are called as none of them has it, a `problem` where nothing but the names is right.
 */
export function recognisePose(io: GraphIO): RecognisedPose | { readonly problem: string } | null {
  const pattern = PATTERNS.find(
    ({ rendered, observed }) =>
      io.inputs.length === 2 &&
      [rendered, observed].every((name) => io.inputs.some((input) => input.name === name)),
  );
  if (!pattern) return null;
  const { contract, rendered, observed } = pattern;
  const layouts = io.inputs.map((input) => layoutOf(input));
  const problem = layouts.find((layout) => typeof layout === 'string');
  if (problem !== undefined) return { problem };
  const [first, second] = layouts.map((layout) => layout ?? pattern.channelsFirst);
  if (first !== second) return { problem: 'its inputs differ in layout' };
  const inputs = { rendered, observed, channelsFirst: first === true };
  const outputs = io.outputs.filter(({ dtype }) => dtype === 'float32').map(({ name }) => name);
  const { translation, rotation } = pattern;
  if ([translation, rotation].every((name) => outputs.includes(name))) {
    return { contract, tensors: { part: 'refiner', ...inputs, translation, rotation } };
  }
  const scores = pattern.scores.find((name) => outputs.includes(name));
  if (scores) return { contract, tensors: { part: 'scorer', ...inputs, scores } };
  return {
    problem:
      `its outputs are ${listTensors(io.outputs)}; expected are ${translation} and ${rotation} of ` +
      `a refiner, or ${pattern.scores.join(' or ')} of a scorer, float32`,
  };
}

/** Whether channels come first, as far as the shape says; or what is wrong with it. */
function layoutOf(input: GraphTensor): boolean | undefined | string {
  const { name, dtype, dims } = input;
  if (dtype !== 'float32') return `${name} is ${dtype}, expected float32`;
  if (dims.length === 0) return undefined;
  const [batch, ...image] = dims;
  if (typeof batch === 'number') {
    return `${name} takes ${batch} at a time; expected is a free first dimension`;
  }
  const fits = (shape: readonly number[]) =>
    dims.length === 4 && image.every((dim, at) => typeof dim === 'string' || dim === shape[at]);
  const isFirst = fits([CHANNELS, POSE_CROP, POSE_CROP]);
  const isLast = fits([POSE_CROP, POSE_CROP, CHANNELS]);
  if (isFirst && isLast) return undefined;
  if (isFirst || isLast) return isFirst;
  return `${listTensors([input])} is of another shape; expected are [N,160,160,6] and [N,6,160,160]`;
}

/** The inputs of all contracts, for messages. */
export const KNOWN_POSE_INPUTS = PATTERNS.map(
  ({ contract, rendered, observed }) => `${rendered} and ${observed} (${contract})`,
).join(', ');
