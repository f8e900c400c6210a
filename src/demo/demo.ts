import { mkdir } from 'node:fs/promises';
import {
  ApiError,
  getHealth,
  type PointCloudAnswer,
  predictPointcloud,
  type Stage,
  serverStages,
} from '../client/index.ts';
import { readConfig } from '../config.ts';
import { startServer } from '../server.ts';
import type { CameraFlags } from './camera.ts';
import { readClip } from './clip.ts';
import { DemoError } from './errors.ts';
import { type Picture, readPictures } from './picture.ts';
import { describePoses } from './pose_report.ts';
import { readPoseScene } from './pose_scene.ts';
import { showPoses } from './poses.ts';
import { describePicture, describeScene, describeServer, hintFor } from './report.ts';
import { writeResults } from './results.ts';
import { readScene } from './scene.ts';
import { showSegments } from './segments.ts';
import { Stages } from './stages.ts';
import { describeTracks } from './track_report.ts';
import { showTracks } from './tracks.ts';

export interface DemoOptions {
  /** Paths of pictures besides the project's own. */
  readonly pictures: readonly string[];
  /** Their camera. */
  readonly camera: CameraFlags;
  /** Where the results go; made if it is not there. */
  readonly out: string;
  readonly device?: string;
}

/** Points of a cloud, at most: more make files and waits large and show no more. */
const MAX_POINTS = 1e6;

/**
 * Starts a server on a free port of this machine, sends it the pictures for their depth, a scene to
 * segment, a clip to follow objects in and an object to pose, writes what comes back and stops it.
 *
 * @param print takes the report, piece by piece
 * @throws DemoError, ConfigError, MediaError, NoAnswerError, EngineError
 */
export async function runDemo(options: DemoOptions, print: (text: string) => void): Promise<void> {
  const { device, out } = options;
  // Not the environment of a server: its port, keys and limits are for that one.
  const { IMAGE_MODEL_DEVICE } = process.env;
  const config = readConfig({ device, host: '127.0.0.1', port: '0' }, { IMAGE_MODEL_DEVICE });
  const limits = {
    maxBytes: config.maxUploadMb * 2 ** 20,
    maxPixels: config.maxImageMegapixels * 1e6,
  };
  const pictures = await readPictures(options.pictures, options.camera, limits);
  await mkdir(out, { recursive: true }).catch((error: Error) => {
    throw new DemoError(`--out ${out} cannot be used: ${error.message}`);
  });
  const started = performance.now();
  const server = await startServer(config);
  try {
    const startMs = performance.now() - started;
    const health = await getHealth({ baseUrl: server.url });
    print(describeServer(server.url, health, startMs));
    const models = new Set<string>();
    for (const picture of pictures) {
      const prefix = pictures.length > 1 ? `${picture.stem}-` : '';
      const shown = await showDepth(picture, server.url, { folder: out, prefix });
      print(shown.report);
      models.add(shown.model);
    }
    const scene = await readScene();
    const segments = await showSegments(scene, server.url, out);
    print(describeScene(scene, segments));
    for (const { answer } of segments) models.add(answer.model);
    const clip = await readClip();
    const tracks = await showTracks(clip, server.url, out);
    print(describeTracks(clip, tracks));
    models.add(tracks.model);
    const poseScene = await readPoseScene();
    print(describePoses(poseScene, await showPoses(poseScene, server.url, out)));
    const hint = hintFor(models);
    if (hint) print(hint);
  } finally {
    await server.stop();
  }
}

/** One picture, from request to files. */
async function showDepth(
  picture: Picture,
  baseUrl: URL,
  target: { folder: string; prefix: string },
): Promise<{ report: string; model: string }> {
  const stages = new Stages();
  const stride = Math.ceil(Math.sqrt((picture.width * picture.height) / MAX_POINTS));
  const answer = await predict(picture, stride, baseUrl, stages);
  const results = await writeResults(answer, picture, { ...target, stride }, stages);
  return { report: describePicture(picture, answer, stages, results), model: answer.model };
}

async function predict(
  picture: Picture,
  stride: number,
  baseUrl: URL,
  stages: Stages,
): Promise<PointCloudAnswer> {
  let inServer: Stage[] = [];
  const onHeaders = (headers: Headers) => {
    inServer = serverStages(headers);
  };
  const started = performance.now();
  const answer = await predictPointcloud(
    {
      image: picture.file,
      camera_intrinsics: picture.camera.intrinsics,
      stride,
      colors: true,
    },
    { baseUrl, onHeaders },
  ).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    throw new DemoError(`${picture.path}: ${error.detail}`, { cause: error });
  });
  stages.addRoundTrip(inServer, performance.now() - started);
  return answer;
}
