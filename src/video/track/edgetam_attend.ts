import type { Tensor } from '../../compute/tensor.ts';
import type { FixedBank } from '../../models/edgetam_parameters.ts';
import { layOutBank, sinePositions, transpose } from './edgetam_layout.ts';
import type { FrameFeatures } from './frame_features.ts';
import type { RecalledObject } from './graph_data.ts';
import { type Keep, runGraph, type TrackerEngine, uploadFloats } from './graphs.ts';
import type { FrameMemory } from './memory_bank.ts';
import type { EdgeTamGraphs } from './model.ts';

const positionsOf = new WeakMap<FixedBank, Float32Array>();

/**
 * The frame's features with the memory of one object, by EdgeTAM's published memory attention.
 *
 * @returns float32 [1, C, g, g]
 */
export async function attendEdgeTam(
  engine: TrackerEngine,
  { bank: sizes }: EdgeTamGraphs,
  { raw }: FrameFeatures,
  object: RecalledObject,
  keep: Keep,
): Promise<Tensor<'float32'>> {
  const { backend, model } = engine;
  const { channels, grid, bankTokens, memoryChannels } = sizes;
  const cells = grid * grid;
  const positions = positionsOf.get(sizes) ?? sinePositions(sizes);
  positionsOf.set(sizes, positions);
  const [features, memories, pointers] = await Promise.all([
    backend.download(raw),
    Promise.all(memoriesOf(engine, object)),
    Promise.all(pointersOf(object, model.limits.pointers).map((one) => backend.download(one))),
  ]);
  const bank = layOutBank(sizes, memories, pointers);
  const tokens = (values: Float32Array, dims: readonly number[]) =>
    uploadFloats(engine, values, dims, keep);
  const { conditioned_features } = await runGraph(
    engine,
    model.memoryAttention,
    {
      vision_features: tokens(transpose(features, channels, cells), [cells, 1, channels]),
      vision_position_embeddings: tokens(positions, [cells, 1, channels]),
      memory: tokens(bank.memory, [bankTokens, 1, memoryChannels]),
      memory_position_embeddings: tokens(bank.positions, [bankTokens, 1, memoryChannels]),
      key_mask: tokens(bank.mask, [1, 1, 1, bankTokens]),
    },
    ['conditioned_features'],
    keep,
  );
  const conditioned = await backend.download(conditioned_features);
  const dims = [1, channels, grid, grid];
  return tokens(transpose(conditioned, cells, channels), dims) as Tensor<'float32'>;
}

function memoriesOf({ backend }: TrackerEngine, { bank, recall }: RecalledObject) {
  return recall.memories.map(async ({ frame, row }) => {
    const memory = bank.get(frame)?.memory;
    if (!memory) throw new Error(`the memory of frame ${frame} was released although it is read`);
    return { values: await backend.download(memory), row };
  });
}

/** Each pointer once, where a prompted frame has that of a tracked one; at most `most`. */
function pointersOf({ bank, recall }: RecalledObject, most: number): Tensor<'float32'>[] {
  const held = recall.pointers
    .map(({ frame }) => bank.get(frame))
    .filter((one): one is FrameMemory => one !== undefined && one.pointerFrom !== null);
  const byFrame = new Map<number | null, Tensor<'float32'>>();
  for (const { pointerFrom, pointer } of held) {
    if (!byFrame.has(pointerFrom)) byFrame.set(pointerFrom, pointer);
  }
  return [...byFrame.values()].slice(0, most);
}
