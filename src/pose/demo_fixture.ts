/** test/fixtures/pose-demo as requests. */
import { join } from 'node:path';

const FOLDER = join(import.meta.dir, '../../test/fixtures/pose-demo');

interface Scene {
  readonly camera_matrix: number[][];
  /** The mesh's own coordinates → camera, metres. */
  readonly pose: number[][];
  /** On the object, as fractions of the picture. */
  readonly click: number[];
}

export const scene: Scene = await Bun.file(join(FOLDER, 'scene.json')).json();
export const SIZE = { width: 320, height: 240 };

export function demoBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Bun.file(join(FOLDER, name)).bytes();
}

export async function demoFile(name: string): Promise<string> {
  return Buffer.from(await demoBytes(name)).toString('base64');
}

/** What the document's example sends. */
export async function foundationPoseBody() {
  const [rgb, depth] = [await demoFile('rgb.png'), await demoFile('depth.png')];
  return {
    camera_matrix: scene.camera_matrix,
    images: [{ filename: 'frame_000', rgb, depth }],
    mask: await demoFile('mask.png'),
    mesh: await demoFile('mesh.ply'),
  };
}

/** The same for the conventional routes, without its objects. */
export async function frameBody() {
  return {
    image: await demoFile('rgb.png'),
    depth: await demoFile('depth.png'),
    camera_matrix: scene.camera_matrix,
  };
}

/** Degrees and metres between a nested pose and the true one, of the object's middle. */
export function demoError(pose: readonly (readonly number[])[], truth = scene.pose) {
  const middle = [0.06, 0.03, 0.056, 1];
  const at = (rows: readonly (readonly number[])[]) =>
    rows.slice(0, 3).map((row) => row.reduce((sum, value, k) => sum + value * middle[k], 0));
  const [a, b] = [at(pose), at(truth)];
  const distance = Math.hypot(...a.map((value, k) => value - b[k]));
  let squares = 0;
  for (let row = 0; row < 3; row++) {
    for (let k = 0; k < 3; k++) squares += (pose[row][k] - truth[row][k]) ** 2;
  }
  const angle = 2 * Math.asin(Math.min(Math.sqrt(squares / 8), 1)) * (180 / Math.PI);
  return { angle, distance };
}
