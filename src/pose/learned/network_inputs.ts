import { cropWarp } from '../../../kernels/crop-warp/kernel.ts';
import { CROP_RATIO, poseCrops } from '../../../kernels/pose-crops/kernel.ts';
import { poseInput } from '../../../kernels/pose-input/kernel.ts';
import { renderPoses, VIEW } from '../../../kernels/render-poses/kernel.ts';
import type { Tensor } from '../../compute/tensor.ts';
import { POSE_CROP } from '../../models/pose_contracts.ts';
import type { Scene } from './scene.ts';

/** What the two networks do differently: points nearer than `minDepth`, in metres, count as none. */
const STAGES = {
  refiner: { ratio: CROP_RATIO.refiner, minDepth: 0.001 },
  scorer: { ratio: CROP_RATIO.scorer, minDepth: 0.1 },
} as const;

/** Whose crops, and in which layout. */
interface InputOptions {
  readonly part: keyof typeof STAGES;
  readonly channelsFirst: boolean;
}

/** float32 [N, 160, 160, 6] or [N, 6, 160, 160] each; the caller's to release. */
export interface NetworkInputs {
  readonly rendered: Tensor<'float32'>;
  readonly observed: Tensor<'float32'>;
}

const SIDE = POSE_CROP;

/** The shape of either input. */
export function inputDims(images: number, channelsFirst: boolean): readonly number[] {
  return channelsFirst ? [images, 6, SIDE, SIDE] : [images, SIDE, SIDE, 6];
}

/**
 * Renders the mesh at N poses, crops the observation around each, and normalises both for a network.
 * All of it is enqueued and nothing waited for.
 *
 * @param poses float32 [N, 4, 4], row-major: the centred mesh → camera
 */
export function networkInputs(
  scene: Scene,
  poses: Tensor,
  { part, channelsFirst }: InputOptions,
): NetworkInputs {
  const { backend, intrinsics, mesh } = scene;
  const { ratio, minDepth } = STAGES[part];
  const images = poses.dims[0];
  const { fx, fy, cx, cy } = intrinsics;
  const lens = { fx, fy, cx, cy };
  const windows = backend.empty('float32', [images, 4]);
  const transforms = backend.empty('float32', [images, 9]);
  const radius = (mesh.diameter * ratio) / 2;
  backend.run(poseCrops, [poses, windows, transforms], { images, size: SIDE, ...lens, radius });
  // Each pair of colours and points is read before the next one is written, in the same memory.
  const rgb = backend.empty('float32', [images, SIDE, SIDE, 3]);
  const xyz = backend.empty('float32', [images, SIDE, SIDE, 3]);
  const normalised = () => {
    const tensor = backend.empty('float32', inputDims(images, channelsFirst));
    backend.run(poseInput, [rgb, xyz, poses, tensor], {
      width: SIDE,
      height: SIDE,
      images,
      channels_first: channelsFirst ? 1 : 0,
      radius: mesh.diameter / 2,
      min_depth: minDepth,
    });
    return tensor;
  };
  backend.draw(renderPoses, [...mesh.tensors, poses, windows, rgb, xyz], {
    width: SIDE,
    height: SIDE,
    images,
    ...mesh.look,
    colored: 1,
    ...lens,
    ...VIEW,
  });
  const rendered = normalised();
  backend.run(cropWarp, [scene.rgb, scene.xyz, transforms, rgb, xyz], {
    src_width: scene.width,
    src_height: scene.height,
    dst_width: SIDE,
    dst_height: SIDE,
    images,
    colored: 1,
  });
  const observed = normalised();
  backend.release(windows, transforms, rgb, xyz);
  return { rendered, observed };
}
