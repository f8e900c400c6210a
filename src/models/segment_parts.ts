import { type GraphIO, type GraphTensor, listTensors } from './contracts.ts';
import type { SegmentFamily } from './segment_contracts.ts';

export type SegmentPart =
  | 'encoder'
  | 'text'
  | 'concept'
  | 'click'
  | 'attention'
  | 'memory'
  | 'mask-prompt'
  | 'tracked';

/** What a graph is within a set. */
export interface RecognisedPart {
  readonly family: SegmentFamily;
  readonly part: SegmentPart;
}

interface PartPattern extends RecognisedPart {
  /** Name → type, all there are. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Those that are read; there may be more. All are float32 but for usls' boolean `text_mask`. */
  readonly outputs: readonly string[];
}

const F32 = 'float32';
const I64 = 'int64';
const FPN = ['fpn_feat_0', 'fpn_feat_1', 'fpn_feat_2'];
const EMBEDDINGS = ['image_embeddings.0', 'image_embeddings.1', 'image_embeddings.2'];
const CONCEPT_OUTPUTS = ['pred_masks', 'pred_boxes', 'pred_logits', 'presence_logits'];

/**
 * The most telling first: `single-backbone`'s encoder has all outputs of the tracker's. Shapes are
 * in models/export/SAM3.md and, of the published sets, at the sources named in the catalogue.
 */
const PATTERNS: readonly PartPattern[] = [
  {
    family: 'single-backbone',
    part: 'encoder',
    inputs: { pixel_values: F32 },
    outputs: [...FPN, ...EMBEDDINGS],
  },
  {
    family: 'single-backbone',
    part: 'text',
    inputs: { input_ids: I64, attention_mask: F32 },
    outputs: ['text_features', 'text_mask'],
  },
  {
    family: 'single-backbone',
    part: 'concept',
    inputs: {
      ...all(F32, [...FPN, 'text_features', 'text_mask', 'input_boxes', 'input_boxes_labels']),
    },
    outputs: CONCEPT_OUTPUTS,
  },
  {
    family: 'single-backbone',
    part: 'click',
    inputs: {
      ...all(F32, [...EMBEDDINGS, 'input_points', 'input_labels']),
      ...all(F32, ['input_masks', 'has_input_masks', 'multimask']),
    },
    outputs: ['iou_scores', 'object_score_logits', 'best_iou', 'best_mask'],
  },
  {
    family: 'single-backbone',
    part: 'attention',
    inputs: {
      ...all(F32, ['tracker_feat', 'memory_features', 'memory_rows']),
      ...all(F32, ['object_pointers', 'pointer_offsets']),
    },
    outputs: ['fused_feat'],
  },
  {
    family: 'single-backbone',
    part: 'memory',
    inputs: {
      ...all(F32, ['tracker_feat', 'mask_logits', 'object_score_logits', 'is_mask_from_points']),
    },
    outputs: ['memory_features'],
  },
  {
    family: 'single-backbone',
    part: 'mask-prompt',
    inputs: { mask: F32 },
    outputs: ['input_masks'],
  },
  {
    family: 'usls',
    part: 'encoder',
    inputs: { images: F32 },
    outputs: [...FPN, 'fpn_pos_2'],
  },
  {
    family: 'usls',
    part: 'text',
    inputs: { input_ids: I64, attention_mask: I64 },
    outputs: ['text_features', 'text_mask'],
  },
  {
    family: 'usls',
    part: 'concept',
    inputs: {
      ...all(F32, [...FPN, 'fpn_pos_2', 'text_features', 'input_boxes']),
      text_mask: 'bool',
      input_boxes_labels: I64,
    },
    outputs: CONCEPT_OUTPUTS,
  },
  {
    family: 'transformers-tracker',
    part: 'encoder',
    inputs: { pixel_values: F32 },
    outputs: EMBEDDINGS,
  },
  {
    family: 'transformers-tracker',
    part: 'click',
    inputs: { ...all(F32, [...EMBEDDINGS, 'input_points', 'input_boxes']), input_labels: I64 },
    outputs: ['iou_scores', 'pred_masks', 'object_score_logits'],
  },
  {
    family: 'transformers-tracker',
    part: 'attention',
    inputs: {
      ...all(F32, ['vision_features', 'vision_position_embeddings', 'memory']),
      ...all(F32, ['memory_position_embeddings', 'key_mask']),
    },
    outputs: ['conditioned_features'],
  },
  {
    family: 'transformers-tracker',
    part: 'memory',
    inputs: all(F32, ['vision_features', 'mask_for_memory']),
    outputs: ['memory_features', 'memory_positions'],
  },
  {
    family: 'transformers-tracker',
    part: 'tracked',
    inputs: all(F32, EMBEDDINGS),
    outputs: ['iou_scores', 'pred_masks', 'object_score_logits', 'object_pointer'],
  },
];

/** What a graph of these inputs and outputs is; null where it is no part of a known set. */
export function recognisePart(io: GraphIO): RecognisedPart | null {
  const found = PATTERNS.find((pattern) => differences(io, pattern).length === 0);
  return found ? { family: found.family, part: found.part } : null;
}

/** What keeps a graph from being the part whose input names it has; null for any other graph. */
export function nearMiss(io: GraphIO): string | null {
  const names = io.inputs.map(({ name }) => name);
  const near = PATTERNS.find(
    ({ inputs }) =>
      names.length === Object.keys(inputs).length && names.every((name) => name in inputs),
  );
  return near ? `as ${near.family} ${near.part}: ${differences(io, near).join(', ')}` : null;
}

/** The inputs of a part, for messages. */
export function expectedInputs(family: SegmentFamily, part: SegmentPart): string {
  const pattern = PATTERNS.find((one) => one.family === family && one.part === part);
  return Object.keys(pattern?.inputs ?? {}).join(', ');
}

function differences({ inputs, outputs }: GraphIO, pattern: PartPattern): string[] {
  const wanted = Object.entries(pattern.inputs);
  return [
    ...wanted.flatMap(([name, dtype]) => typeProblem(inputs, name, dtype)),
    ...inputs
      .filter(({ name }) => !(name in pattern.inputs))
      .map((extra) => `unknown input ${listTensors([extra])}`),
    ...pattern.outputs.flatMap((name) => {
      const dtype = name === 'text_mask' && pattern.family === 'usls' ? 'bool' : F32;
      return typeProblem(outputs, name, dtype);
    }),
  ];
}

function typeProblem(tensors: readonly GraphTensor[], name: string, dtype: string): string[] {
  const found = tensors.find((tensor) => tensor.name === name);
  if (!found) return [`${name} is missing`];
  return found.dtype === dtype ? [] : [`${name} is ${found.dtype}, expected ${dtype}`];
}

function all(dtype: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, dtype]));
}
