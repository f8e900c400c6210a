import type { HostArray } from '../feeds.ts';
import type { ObjectPrompt } from './contract.ts';

/** `input_points` [1, objects, points, 2] and `input_labels` [1, objects, points]. */
export function pointInputs(
  objects: readonly ObjectPrompt[],
): Record<'input_points' | 'input_labels', HostArray> {
  const [count, points] = [objects.length, objects[0].labels.length];
  return {
    input_points: {
      values: objects.flatMap((object) => object.points.flat()),
      dims: [1, count, points, 2],
    },
    input_labels: {
      values: objects.flatMap(({ labels }) => labels),
      dims: [1, count, points],
    },
  };
}
