/**
 * Writes folders of small ONNX files with the inputs and outputs of the published segmentation sets,
 * for tests of what is recognised. They have no nodes: nothing can be run with them.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encodeOnnx, type FixtureModel } from './onnx_fixture.ts';
import type { SegmentFamily } from './segment_contracts.ts';

type Tensors = FixtureModel['inputs'];

const INT64 = 7;
const BOOL = 9;

export interface FixtureSet {
  /** Side of the image. @default 1008 */
  readonly size?: number;
  /** TensorProto.DataType of what is float32 in the published graphs. */
  readonly float?: number;
  /** Between a graph's name and `.onnx`. */
  readonly suffix?: string;
  /** Put the weights, of this many bytes a graph, into a file beside each graph. */
  readonly externalBytes?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Replaces the shape of the encoder's input. */
  readonly inputDims?: readonly (number | string)[];
  /** Adds the graphs for video; only with single-backbone. */
  readonly video?: boolean;
}

/** The files of a set, by path inside its folder. */
export function segmentFiles(
  family: SegmentFamily,
  set: FixtureSet = {},
): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (const [name, [inputs, outputs]] of Object.entries(GRAPHS[family](set))) {
    const path = `${name}${set.suffix ?? ''}.onnx`;
    const external = `${path.split('/').at(-1)}_data`;
    const bytes = set.externalBytes;
    files[path] = encodeOnnx({
      inputs,
      outputs,
      weights:
        bytes === undefined ? [] : [{ name: 'w', dims: [bytes / 4], externalFile: external }],
      metadata: set.video ? { mask_size: String(side(set, 3.5)), ...set.metadata } : set.metadata,
    });
    if (bytes !== undefined) files[`${path}_data`] = new Uint8Array(bytes);
  }
  if (family !== 'transformers-tracker') {
    files['tokenizer.json'] = new TextEncoder().encode('{}');
  }
  return files;
}

export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<void> {
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
}

type Graphs = Readonly<Record<string, readonly [Tensors, Tensors]>>;

const GRAPHS: Readonly<Record<SegmentFamily, (set: FixtureSet) => Graphs>> = {
  usls: (set) => {
    const { fpn, concept, text, f } = pieces(set);
    const all = [...fpn, f('fpn_pos_2', ['b', 256, side(set, 14), side(set, 14)])];
    const words = [...text(BOOL)];
    return {
      'vision-encoder': [[f('images', dims(set))], all],
      'text-encoder': [
        ['input_ids', 'attention_mask'].map((name) => ({ name, dtype: INT64, dims: ['b', 32] })),
        words,
      ],
      'geo-encoder-mask-decoder': [
        [
          ...all,
          ...words,
          f('input_boxes', ['b', 'n', 4]),
          { name: 'input_boxes_labels', dtype: INT64, dims: ['b', 'n'] },
        ],
        concept,
      ],
    };
  },
  'transformers-tracker': (set) => {
    const { embeddings, f } = pieces(set);
    return {
      'onnx/vision_encoder': [[f('pixel_values', dims(set))], embeddings],
      'onnx/prompt_encoder_mask_decoder': [
        [
          f('input_points', ['b', 'o', 'p', 2]),
          { name: 'input_labels', dtype: INT64, dims: ['b', 'o', 'p'] },
          f('input_boxes', ['b', 'n', 4]),
          ...embeddings,
        ],
        [
          f('iou_scores', ['b', 'o', 3]),
          f('pred_masks', ['b', 'o', 3, 'h', 'w']),
          f('object_score_logits', ['b', 'o', 1]),
        ],
      ],
    };
  },
  'single-backbone': (set) => {
    const { fpn, embeddings, concept, text, f } = pieces(set);
    const words = text(1);
    return {
      'vision-encoder': [[f('pixel_values', dims(set))], [...fpn, ...embeddings]],
      'text-encoder': [
        [{ name: 'input_ids', dtype: INT64, dims: ['p', 32] }, f('attention_mask', ['p', 32])],
        words,
      ],
      'concept-decoder': [
        [...fpn, ...words, f('input_boxes', ['p', 'b', 4]), f('input_boxes_labels', ['p', 'b'])],
        concept,
      ],
      'click-decoder': [
        [
          ...embeddings,
          f('input_points', [1, 'o', 'p', 2]),
          f('input_labels', [1, 'o', 'p']),
          f('input_masks', ['o', 1, 'h', 'w']),
          f('has_input_masks', ['o']),
          f('multimask', ['o']),
        ],
        ['iou_scores', 'pred_masks', 'object_score_logits', 'best_iou', 'best_mask'].map((name) =>
          f(name, ['o']),
        ),
      ],
      ...(set.video ? videoGraphs(set) : {}),
    };
  },
};

function videoGraphs(set: FixtureSet): Graphs {
  const { f } = pieces(set);
  const grid = [side(set, 14), side(set, 14)];
  const feat = f('tracker_feat', [1, 256, ...grid]);
  const memory = (...outer: string[]) => f('memory_features', [...outer, 64, ...grid]);
  return {
    'memory-attention': [
      [
        feat,
        memory('o', 's'),
        f('memory_rows', ['o', 's']),
        f('object_pointers', ['o', 'p', 256]),
        f('pointer_offsets', ['o', 'p']),
      ],
      [f('fused_feat', ['o', 256, ...grid])],
    ],
    'memory-encoder': [
      [
        feat,
        f('mask_logits', ['o', 1, side(set, 3.5), side(set, 3.5)]),
        f('object_score_logits', ['o', 1]),
        f('is_mask_from_points', ['o']),
      ],
      [memory('o')],
    ],
    'mask-prompt': [
      [f('mask', ['o', 1, side(set, 1), side(set, 1)])],
      [f('input_masks', ['o', 1, side(set, 3.5), side(set, 3.5)])],
    ],
  };
}

function pieces(set: FixtureSet) {
  const f = (name: string, shape: readonly (number | string)[]) => ({
    name,
    dims: shape,
    dtype: set.float ?? 1,
  });
  const map = (name: string, channels: number, stride: number) =>
    f(name, ['b', channels, side(set, stride), side(set, stride)]);
  return {
    f,
    fpn: [3.5, 7, 14].map((stride, level) => map(`fpn_feat_${level}`, 256, stride)),
    embeddings: [3.5, 7, 14].map((stride, level) =>
      map(`image_embeddings.${level}`, [32, 64, 256][level], stride),
    ),
    text: (mask: number) => [
      f('text_features', ['b', 32, 256]),
      { name: 'text_mask', dtype: mask, dims: ['b', 32] },
    ],
    concept: [
      f('pred_masks', ['b', 200, side(set, 3.5), side(set, 3.5)]),
      f('pred_boxes', ['b', 200, 4]),
      f('pred_logits', ['b', 200]),
      f('presence_logits', ['b', 1]),
    ],
  };
}

function side({ size = 1008 }: FixtureSet, stride: number): number {
  return Math.round(size / stride);
}

function dims({ size = 1008, inputDims }: FixtureSet): readonly (number | string)[] {
  return inputDims ?? ['b', 3, size, size];
}
