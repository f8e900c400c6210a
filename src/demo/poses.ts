import { join } from 'node:path';
import { ApiError, type EstimateAnswer, estimatePose, serverStages } from '../client/index.ts';
import { drawPoses } from '../media/pose_picture.ts';
import { DemoError } from './errors.ts';
import { type PoseAsk, type PoseDrawing, type PoseScene, readPoseDrawing } from './pose_scene.ts';
import { save } from './results.ts';
import { Stages } from './stages.ts';

/** What came of one way to ask. */
export interface PoseShown {
  readonly ask: PoseAsk;
  readonly found: EstimateAnswer['objects'][number];
  readonly stages: Stages;
  /** The picture with the object's outline and axes at the pose. */
  readonly path: string;
}

/**
 * Asks where the scene's object is, once by its mask and once by a click on it, and writes `pose.png`
 * and `pose-click.png`.
 *
 * @throws DemoError, NoAnswerError
 */
export async function showPoses(
  scene: PoseScene,
  baseUrl: URL,
  folder: string,
): Promise<PoseShown[]> {
  const drawing = await readPoseDrawing(scene);
  const shown: PoseShown[] = [];
  for (const ask of scene.asks) {
    const stages = new Stages();
    const found = await estimate(scene, ask, baseUrl, stages);
    const path = join(folder, ask.name === 'mask' ? 'pose.png' : `pose-${ask.name}.png`);
    await stages.time('demo', 'draw and write the picture', async () =>
      save(path, await draw(scene.name, drawing, found)),
    );
    shown.push({ ask, found, stages, path });
  }
  return shown;
}

async function estimate(
  { path, image, depth, mesh, cameraMatrix, name }: PoseScene,
  { shown }: PoseAsk,
  baseUrl: URL,
  stages: Stages,
): Promise<PoseShown['found']> {
  const started = performance.now();
  let inServer = serverStages(new Headers());
  const onHeaders = (headers: Headers) => {
    inServer = serverStages(headers);
  };
  const objects = [{ name, mesh, ...shown }];
  const answer = await estimatePose(
    { image, depth, camera_matrix: cameraMatrix, objects },
    { baseUrl, onHeaders },
  ).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    throw new DemoError(`${path}: ${error.detail}`, { cause: error });
  });
  stages.addRoundTrip(inServer, performance.now() - started);
  return answer.objects[0];
}

function draw(
  label: string,
  { image, camera, mesh }: PoseDrawing,
  { pose, inlier_fraction: score }: PoseShown['found'],
): Promise<Uint8Array> {
  return drawPoses({
    pixels: image.data,
    camera,
    objects: [{ mesh, pose: pose.flat(), label, score }],
  });
}
