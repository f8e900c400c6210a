import { cropWarp } from '../../../kernels/crop-warp/kernel.ts';
import { CROP_RATIO } from '../../../kernels/pose-crops/kernel.ts';
import { poseScore, SCORE } from '../../../kernels/pose-score/kernel.ts';
import { renderPoses, VIEW } from '../../../kernels/render-poses/kernel.ts';
import { withTensors } from '../../compute/scope.ts';
import { cropSquares, cropToImage } from '../crops.ts';
import type { Scene } from './scene.ts';

/** How well a pose explains the depth. */
interface Agreement {
  /** Share of the pixels with depth that agree with the rendered mesh, in [0, 1]. */
  readonly inlierFraction: number;
  /** Mean distance in depth of those that agree, metres. */
  readonly residual: number;
}

/** Which pixels are asked about. */
export interface ObjectMask {
  /** uint8 [height, width]. */
  readonly pixels: Uint8Array;
  /** How many of it have depth. */
  readonly depths: number;
}

const SIDE = 160;

/** Largest distance in depth at which two surfaces agree, by the mesh's diameter. */
const TOLERANCE = 0.04;

/**
 * Renders the mesh at final poses and holds its depth against the observation's.
 *
 * @param poses float32 [N, 4, 4], row-major: the centred mesh → camera, all ahead of it
 * @param mask pixels of the object: the share is of them. Null, as in tracking: of the pixels where
 *   the mesh is rendered.
 */
export function agreements(
  scene: Scene,
  poses: Float32Array,
  mask: ObjectMask | null,
): Promise<Agreement[]> {
  const { backend, intrinsics, mesh } = scene;
  const images = poses.length / 16;
  const { diameter } = mesh;
  const squares = cropSquares(poses, { intrinsics, diameter, ratio: CROP_RATIO.refiner });
  const transforms = cropToImage(squares, SIDE, SIDE, 0.5);
  const { fx, fy, cx, cy } = intrinsics;
  const size = { width: SIDE, height: SIDE, images };
  return withTensors(backend, async (keep) => {
    const placed = keep(backend.upload(poses, [images, 4, 4]));
    const windows = keep(backend.upload(squares, [images, 4]));
    const unread = keep(backend.empty('float32', [1]));
    const rendered = keep(backend.empty('float32', [images, SIDE, SIDE, 3]));
    const drawn = [...mesh.tensors, placed, windows, unread, rendered];
    const lens = { fx, fy, cx, cy, ...VIEW };
    backend.draw(renderPoses, drawn, { ...size, ...mesh.look, colored: 0, ...lens });
    const observed = keep(backend.empty('float32', [images, SIDE, SIDE, 3]));
    const steps = keep(backend.upload(transforms, [images, 3, 3]));
    backend.run(cropWarp, [scene.rgb, scene.xyz, steps, unread, observed], {
      src_width: scene.width,
      src_height: scene.height,
      dst_width: SIDE,
      dst_height: SIDE,
      images,
      colored: 0,
    });
    const object = keep(backend.upload(maskCrops(scene, mask, transforms), [images, SIDE, SIDE]));
    const output = keep(backend.empty('float32', [images, SCORE.columns]));
    const params = { ...size, observations: images, tolerance: TOLERANCE * diameter };
    backend.run(poseScore, [rendered, observed, object, output], params);
    const scores = await backend.download(output);
    return Array.from({ length: images }, (_, index) => {
      const row = scores.subarray(index * SCORE.columns, (index + 1) * SCORE.columns);
      const [left, top, right, bottom] = squares.subarray(index * 4, index * 4 + 4);
      // Pixels of the crop to one of the image: the mask may reach beyond the crop.
      const density = SIDE ** 2 / ((right - left) * (bottom - top));
      const seen = row[SCORE.inliers] + row[SCORE.violations] + row[SCORE.behind];
      const total = mask ? mask.depths * density : seen;
      return {
        inlierFraction: total > 0 ? Math.min(row[SCORE.inliers] / total, 1) : 0,
        residual: row[SCORE.residual],
      };
    });
  });
}

/** The mask in each crop, uint8 [N, 160, 160], by the nearest pixel; 1 everywhere without a mask. */
function maskCrops(
  { width, height }: Scene,
  mask: ObjectMask | null,
  transforms: Float32Array,
): Uint8Array<ArrayBuffer> {
  const images = transforms.length / 9;
  const crops = new Uint8Array(images * SIDE * SIDE);
  if (!mask) return crops.fill(1);
  for (let image = 0, at = 0; image < images; image++) {
    const [across, , left, , down, top] = transforms.subarray(image * 9, image * 9 + 9);
    for (let row = 0; row < SIDE; row++) {
      const y = Math.floor(top + down * row + 0.5);
      for (let column = 0; column < SIDE; column++, at++) {
        const x = Math.floor(left + across * column + 0.5);
        const isInside = x >= 0 && y >= 0 && x < width && y < height;
        if (isInside && mask.pixels[y * width + x] !== 0) crops[at] = 1;
      }
    }
  }
  return crops;
}
