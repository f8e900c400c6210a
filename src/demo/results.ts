import { join } from 'node:path';
import { decodeDepthMap, decodePointcloud, type PointCloudAnswer } from '../client/index.ts';
import { encodePly } from '../media/ply.ts';
import { encodeColormapPng } from '../media/png.ts';
import { DemoError } from './errors.ts';
import type { Picture } from './picture.ts';
import type { Stages } from './stages.ts';
import { renderView, VIEW } from './view.ts';

/** A file that was written, and what it holds. */
export interface Result {
  readonly path: string;
  readonly holds: string;
}

/**
 * Writes what one answer shows: `depth.png`, `cloud.ply` and `view.png`.
 *
 * @param prefix goes before each name
 * @param stride the one that the cloud was asked for with
 * @throws DemoError for a file that cannot be written
 */
export async function writeResults(
  answer: PointCloudAnswer,
  { width, height, camera }: Picture,
  { folder, prefix, stride }: { folder: string; prefix: string; stride: number },
  stages: Stages,
): Promise<Result[]> {
  const depth = decodeDepthMap(answer.depth_map, answer.depth_shape);
  const points = decodePointcloud(answer.pointcloud, answer.pointcloud_shape);
  const colors = Uint8Array.fromBase64(answer.colors ?? '');
  const grid = {
    width: Math.ceil(width / stride),
    height: Math.ceil(height / stride),
    focal: camera.intrinsics.fx / stride,
  };
  const write = async (name: string, holds: string, encode: () => Promise<Uint8Array>) => {
    const path = join(folder, prefix + name);
    await stages.time('demo', `write ${name}`, async () => save(path, await encode()));
    return { path, holds };
  };
  const turbo = { colormap: 'turbo', invert: answer.kind === 'metric' } as const;
  return [
    await write('depth.png', `${width}x${height}, near is warm, far is cold`, () =>
      encodeColormapPng(depth, width, height, turbo),
    ),
    await write('cloud.ply', `${points.length / 3} coloured points, in metres`, async () =>
      encodePly(points, colors),
    ),
    await write(
      'view.png',
      `${grid.width}x${grid.height}, the cloud seen from ${VIEW.yawDegrees}° to the right and ${VIEW.pitchDegrees}° above`,
      () => renderView({ points, colors, ...grid }),
    ),
  ];
}

/** @throws DemoError for a file that cannot be written */
export async function save(path: string, bytes: Uint8Array): Promise<void> {
  await Bun.write(path, bytes).catch((error: Error) => {
    throw new DemoError(`${path} cannot be written: ${error.message}`, { cause: error });
  });
}
