import { elementCount, type Tensor } from '../../compute/tensor.ts';
import { attendEdgeTam } from './edgetam_attend.ts';
import type { FrameFeatures } from './frame_features.ts';
import type { RecalledObject } from './graph_data.ts';
import { type Keep, runGraph, type TrackerEngine, uploadFloats } from './graphs.ts';
import type { MemoryBank } from './memory_bank.ts';
import type { MemoryLimits } from './model.ts';
import type { Recall } from './recall.ts';

/** Pointers are filled up to a multiple of this, so that shapes come again and can be captured. */
const POINTER_STEP = 16;

/**
 * The frame's features with the memories of each object.
 *
 * @param frames in the clip; null where that is not known
 * @returns `fused_feat`, float32 [objects, C, g, g]
 */
export async function attendToMemory(
  engine: TrackerEngine,
  features: FrameFeatures,
  objects: readonly RecalledObject[],
  frames: number | null,
  keep: Keep,
): Promise<Tensor<'float32'>> {
  const { edgetam } = engine.model;
  if (edgetam) return attendEdgeTam(engine, edgetam, features, objects[0], keep);
  const { fused_feat } = await runGraph(
    engine,
    engine.model.memoryAttention,
    {
      tracker_feat: features.raw,
      ...gatherMemories(engine, objects, keep),
      ...gatherPointers(engine, objects, frames, keep),
    },
    ['fused_feat'],
    keep,
    objects.every(({ recall }) => isFull(recall, engine.model.limits)),
  );
  return fused_feat;
}

/** Whether the memory has as many recent frames as it will have from now on. */
function isFull({ memories }: Recall, { timeRows }: MemoryLimits): boolean {
  const recent = memories.filter(({ row }) => row < timeRows - 1);
  return recent.length === timeRows - 1;
}

/** Empty slots hold a memory too: a NaN left in a buffer would get past a weight of 0. */
function gatherMemories(engine: TrackerEngine, objects: readonly RecalledObject[], keep: Keep) {
  const slots = Math.max(...objects.map(({ recall }) => recall.memories.length));
  const rows = new Float32Array(objects.length * slots).fill(-1);
  const parts = objects.flatMap(({ bank, recall: { memories } }, object) => {
    memories.forEach(({ row }, slot) => {
      rows[object * slots + slot] = row;
    });
    const held = memories.map(({ frame }) => heldMemory(bank, frame));
    return [...held, ...Array<Tensor<'float32'>>(slots - held.length).fill(held[0])];
  });
  return {
    memory_features: keep(concatenate(engine, parts, [objects.length, slots])),
    memory_rows: uploadFloats(engine, rows, [objects.length, slots], keep),
  };
}

function heldMemory(bank: MemoryBank, frame: number): Tensor<'float32'> {
  const memory = bank.get(frame)?.memory;
  if (memory) return memory;
  throw new Error(`the memory of frame ${frame} was released although it is still read`);
}

/** Offsets are fractions of the longest time a pointer may be away. */
function gatherPointers(
  engine: TrackerEngine,
  objects: readonly RecalledObject[],
  frames: number | null,
  keep: Keep,
) {
  const most = engine.model.limits.pointers;
  const span = Math.max(1, Math.min(frames ?? most, most) - 1);
  const used = Math.max(1, ...objects.map(({ recall }) => recall.pointers.length));
  const count = Math.ceil(used / POINTER_STEP) * POINTER_STEP;
  const offsets = new Float32Array(objects.length * count).fill(-1);
  const parts = objects.flatMap(({ bank, recall: { memories, pointers } }, object) => {
    pointers.forEach(({ distance }, place) => {
      offsets[object * count + place] = distance / span;
    });
    const held = pointers.map(({ frame }) => heldPointer(bank, frame));
    const filler = held[0] ?? heldPointer(bank, memories[0].frame);
    return [...held, ...Array<Tensor<'float32'>>(count - held.length).fill(filler)];
  });
  return {
    object_pointers: keep(concatenate(engine, parts, [objects.length, count])),
    pointer_offsets: uploadFloats(engine, offsets, [objects.length, count], keep),
  };
}

function heldPointer(bank: MemoryBank, frame: number): Tensor<'float32'> {
  const known = bank.get(frame);
  if (known) return known.pointer;
  throw new Error(`the pointer of frame ${frame} was released although it is still read`);
}

/** Parts of equal shape side by side: [...outer, ...part]. */
function concatenate(
  { backend }: TrackerEngine,
  parts: readonly Tensor<'float32'>[],
  outer: readonly number[],
): Tensor<'float32'> {
  const { dims } = parts[0];
  const whole = backend.empty('float32', [...outer, ...dims]);
  parts.forEach((part, index) => {
    backend.copy(part, whole, { to: index * elementCount(dims) });
  });
  return whole;
}
