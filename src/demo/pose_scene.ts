import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EstimateFields } from '../client/index.ts';
import type { PictureCamera } from '../media/cloud_picture.ts';
import { decodeImage, type RgbImage } from '../media/image.ts';
import { loadMesh } from '../media/mesh/load.ts';
import type { Mesh } from '../media/mesh/mesh.ts';

type PoseObject = EstimateFields['objects'][number];

/** One way to say which pixels show the object. */
export interface PoseAsk {
  readonly name: 'mask' | 'click';
  /** What is given, for people. */
  readonly given: string;
  readonly shown: Pick<PoseObject, 'mask' | 'prompt'>;
}

/** A frame of colour and depth, an object in it, and where that really is. */
export interface PoseScene {
  readonly path: string;
  readonly name: string;
  readonly image: Blob;
  readonly depth: Blob;
  readonly mesh: Blob;
  readonly cameraMatrix: number[][];
  /** 4×4 rows: the mesh's own coordinates → camera, metres. */
  readonly truth: readonly (readonly number[])[];
  readonly asks: readonly PoseAsk[];
}

/** What models/export/make_pose_demo.py wrote. */
interface SceneFile {
  readonly name: string;
  readonly camera_matrix: number[][];
  /** [x, y] on the object, as fractions of the picture. */
  readonly click: number[];
  readonly pose: number[][];
}

const FOLDER = fileURLToPath(new URL('../../models/embedded/pose-demo', import.meta.url));

export async function readPoseScene(): Promise<PoseScene> {
  const file = (name: string) => Bun.file(join(FOLDER, name));
  const { name, camera_matrix, click, pose }: SceneFile = await file('scene.json').json();
  return {
    path: join(FOLDER, 'rgb.jpg'),
    name,
    image: file('rgb.jpg'),
    depth: file('depth.png'),
    mesh: file('mesh.ply'),
    cameraMatrix: camera_matrix,
    truth: pose,
    asks: [
      { name: 'mask', given: 'mask.png', shown: { mask: file('mask.png') } },
      { name: 'click', given: `at [${click}]`, shown: { prompt: { points: [click] } } },
    ],
  };
}

/** What of the scene is drawn. */
export interface PoseDrawing {
  readonly image: RgbImage;
  readonly camera: PictureCamera;
  readonly mesh: Mesh;
}

export async function readPoseDrawing(scene: PoseScene): Promise<PoseDrawing> {
  const image = await decodeImage(await scene.image.bytes(), { maxBytes: 1e6, maxPixels: 1e6 });
  const mesh = await loadMesh(await scene.mesh.bytes(), { maxBytes: 1e6, maxTriangles: 1e5 });
  const [[fx, , cx], [, fy, cy]] = scene.cameraMatrix;
  return { image, mesh, camera: { fx, fy, cx, cy, width: image.width, height: image.height } };
}
