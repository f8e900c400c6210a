import type { PoseMethod } from '../../src/pose/method.ts';
import { seeded } from '../numbers.ts';
import { poseDistance } from './accuracy.ts';
import { generatedScene } from './scenes.ts';

/** Most of an object's pixels that are hidden. */
const MAX_OCCLUSION = 0.4;

/** What became of one generated scene. */
export interface Outcome {
  readonly name: string;
  readonly scene: number;
  readonly occlusion: number;
  /** ADD, or ADD-S of a symmetric object, by its diameter. */
  readonly distance: number;
  readonly score: number;
  readonly inlierFraction: number;
  /** How much the second distinct pose scores less; infinite without one. */
  readonly margin: number;
}

/** Registers objects in generated scenes, each its share hidden, evenly from none to 40 %. */
export async function measureRecall(
  method: PoseMethod,
  objects: readonly number[],
  scenes: number,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const index of objects) {
    for (let scene = 0; scene < scenes; scene++) {
      const occlusion = MAX_OCCLUSION * seeded(scene * 31 + index)();
      const { object, frame, mask, truth } = await generatedScene(index, scene + 1, occlusion);
      const [best, second] = await method.register(object, frame, mask, { topK: 2 });
      const { score, inlierFraction } = best;
      outcomes.push({
        name: object.name,
        scene,
        occlusion,
        distance: poseDistance(object, best.pose, truth),
        score,
        inlierFraction,
        margin: score - (second?.score ?? Number.NEGATIVE_INFINITY),
      });
    }
  }
  return outcomes;
}
