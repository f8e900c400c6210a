import type { FrameFeatures } from './frame_features.ts';
import type { TrackerModel } from './model.ts';

/** Attention scores of one run, within WebGPU's default limit on a binding. */
const MAX_SCORE_BYTES = 128 << 20;

const MAX_OBJECTS = 16;

/**
 * Objects in lists that one run of the graphs takes: as many as their attention scores allow. At SAM 3's
 * size that is one; the graphs cut only the queries of a single object, and EdgeTAM's take only one.
 */
export function groupObjects<T>(
  objects: readonly T[],
  { raw }: FrameFeatures,
  { limits: { timeRows, conditioning }, edgetam }: Pick<TrackerModel, 'limits' | 'edgetam'>,
): T[][] {
  const cells = raw.dims[2] * raw.dims[3];
  const scoreBytes = cells * cells * (timeRows - 1 + conditioning) * 4;
  const most = edgetam ? 1 : MAX_OBJECTS;
  const size = Math.min(Math.max(1, Math.floor(MAX_SCORE_BYTES / scoreBytes)), most);
  const count = Math.ceil(objects.length / size);
  return Array.from({ length: count }, (_, i) => objects.slice(i * size, (i + 1) * size));
}
