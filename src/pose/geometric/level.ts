import { cropWarp } from '../../../kernels/crop-warp/kernel.ts';
import { depthFilter, SMOOTH } from '../../../kernels/depth-filter/kernel.ts';
import { depthToXyz } from '../../../kernels/depth-to-xyz/kernel.ts';
import { poseScore } from '../../../kernels/pose-score/kernel.ts';
import { renderPoses, VIEW } from '../../../kernels/render-poses/kernel.ts';
import { xyzNormals } from '../../../kernels/xyz-normals/kernel.ts';
import type { Backend } from '../../compute/backend.ts';
import type { Tensor } from '../../compute/tensor.ts';
import type { ObservedSurface } from '../refine_icp.ts';
import type { DepthCrop } from './crop.ts';
import type { ShapeMesh } from './simplify.ts';

type Keep = <V extends Tensor>(tensor: V) => V;

/** A mesh on the device. */
export interface LoadedShape {
  readonly tensors: readonly [vertices: Tensor, indices: Tensor, texels: Tensor];
  readonly faces: number;
}

/** The observation at a share of the crop's size, for renderings of that size. */
export interface Level {
  /** Pixels of its side, and the crop's pixels per pixel of it. */
  readonly side: number;
  readonly factor: number;
  /** float32 [side, side, 3] and uint8 [side, side]. */
  readonly xyz: Tensor;
  readonly mask: Tensor;
  /** Pixels of the mask that have depth, and all. */
  readonly maskedDepths: number;
  readonly masked: number;
}

export function loadShape(backend: Backend, keep: Keep, mesh: ShapeMesh): LoadedShape {
  const vertices = keep(backend.upload(mesh.vertices, [mesh.vertices.length / 9, 9]));
  const indices = keep(backend.upload(mesh.indices, [mesh.faces, 3]));
  const texels = keep(backend.upload(new Uint8Array(3), [3]));
  return { tensors: [vertices, indices, texels], faces: mesh.faces };
}

/** The crop's points, smoothed: float32 [side, side, 3]. */
export function pointsOf(backend: Backend, keep: Keep, crop: DepthCrop): Tensor {
  return smoothed(backend, keep, crop, crop.depth);
}

/**
 * The points of what may be the object, smoothed, and their normals: the rest is left out before, as
 * nothing may be drawn to it.
 */
export function surfaceOf(backend: Backend, keep: Keep, crop: DepthCrop): ObservedSurface {
  const { side, intrinsics, surface, distance } = crop;
  const xyz = smoothed(backend, keep, crop, surface);
  const normals = keep(backend.empty('float32', [side, side, 3]));
  const size = { width: side, height: side };
  const edges = { radius: 2, max_difference: (6 * distance) / intrinsics.fx };
  backend.run(xyzNormals, [xyz, normals], { ...size, images: 1, ...edges });
  return { xyz, normals, ...size, intrinsics };
}

function smoothed(
  backend: Backend,
  keep: Keep,
  { side, intrinsics }: DepthCrop,
  given: Float32Array,
): Tensor {
  const size = { width: side, height: side };
  const depth = backend.upload(given, [side, side]);
  const smooth = backend.empty('float32', [side, side]);
  const xyz = keep(backend.empty('float32', [side, side, 3]));
  backend.run(depthFilter, [depth, smooth], { ...size, ...SMOOTH });
  const { fx, fy, cx, cy } = intrinsics;
  const range = { min_depth: SMOOTH.min_depth, max_depth: SMOOTH.max_depth };
  backend.run(depthToXyz, [smooth, xyz], { ...size, fx, fy, cx, cy, ...range });
  backend.release(depth, smooth);
  return xyz;
}

/** Every `factor`-th pixel of the crop, from the middle of the first block on. */
export function levelOf(
  backend: Backend,
  keep: Keep,
  crop: DepthCrop,
  points: Tensor,
  factor: number,
): Level {
  const side = crop.side / factor;
  const first = Math.floor(factor / 2);
  const transform = Float32Array.of(factor, 0, first, 0, factor, first, 0, 0, 1);
  const sources = [backend.upload(new Uint8Array(3), [3]), backend.upload(transform, [1, 3, 3])];
  const unread = backend.empty('float32', [1]);
  const xyz = keep(backend.empty('float32', [side, side, 3]));
  backend.run(cropWarp, [sources[0], points, sources[1], unread, xyz], {
    src_width: crop.side,
    src_height: crop.side,
    dst_width: side,
    dst_height: side,
    images: 1,
    colored: 0,
  });
  backend.release(...sources, unread);
  const mask = new Uint8Array(side * side);
  let [masked, maskedDepths] = [0, 0];
  for (let pixel = 0; pixel < mask.length; pixel++) {
    const row = Math.floor(pixel / side) * factor + first;
    const at = row * crop.side + (pixel % side) * factor + first;
    mask[pixel] = crop.mask[at];
    masked += Number(crop.mask[at] !== 0);
    maskedDepths += Number(crop.mask[at] !== 0 && crop.depth[at] > 0);
  }
  const tensor = keep(backend.upload(mask, [side, side]));
  return { side, factor, xyz, mask: tensor, masked, maskedDepths };
}

/** Renders a shape at N poses: float32 [N, side, side, 3], the caller's to release. */
export function renderLevel(
  backend: Backend,
  shape: LoadedShape,
  { side, factor }: Level,
  { intrinsics }: DepthCrop,
  poses: Float32Array,
): Tensor<'float32'> {
  const images = poses.length / 16;
  const left = Math.floor(factor / 2) - factor / 2;
  const right = left + side * factor;
  const windows = Float32Array.from({ length: images * 4 }, (_, at) => (at % 4 < 2 ? left : right));
  const { fx, fy, cx, cy } = intrinsics;
  const inputs = [backend.upload(poses, [images, 4, 4]), backend.upload(windows, [images, 4])];
  const unread = backend.empty('float32', [1]);
  const xyz = backend.empty('float32', [images, side, side, 3]);
  backend.draw(renderPoses, [...shape.tensors, ...inputs, unread, xyz], {
    width: side,
    height: side,
    images,
    faces: shape.faces,
    texture_width: 0,
    texture_height: 0,
    colored: 0,
    fx,
    fy,
    cx,
    cy,
    ...VIEW,
  });
  backend.release(...inputs, unread);
  return xyz;
}

/** The scores [N, 7] of renderings. */
export async function scoreLevel(
  backend: Backend,
  level: Level,
  rendered: Tensor,
  tolerance: number,
): Promise<Float32Array> {
  const images = rendered.dims[0];
  const output = backend.empty('float32', [images, 7]);
  const size = { width: level.side, height: level.side };
  backend.run(poseScore, [rendered, level.xyz, level.mask, output], {
    images,
    observations: 1,
    ...size,
    tolerance,
  });
  const scores = await backend.download(output);
  backend.release(output);
  return scores;
}
