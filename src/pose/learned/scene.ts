import { depthFilter, ERODE, SMOOTH } from '../../../kernels/depth-filter/kernel.ts';
import { depthToXyz } from '../../../kernels/depth-to-xyz/kernel.ts';
import type { Backend } from '../../compute/backend.ts';
import type { Tensor } from '../../compute/tensor.ts';
import type { Mesh } from '../../media/mesh/mesh.ts';
import type { Intrinsics } from '../crops.ts';
import type { PoseObject, RgbdFrame } from '../method.ts';
import { toRenderMesh } from '../render_mesh.ts';
import { aboutCenter } from '../symmetric_poses.ts';

export type Keep = <V extends Tensor>(tensor: V) => V;

/** A frame and a mesh on the device. */
export interface Scene {
  readonly backend: Backend;
  readonly width: number;
  readonly height: number;
  readonly intrinsics: Intrinsics;
  /** uint8 [height, width, 3]. */
  readonly rgb: Tensor;
  /** float32 [height, width], metres: eroded and smoothed, as the networks were trained. */
  readonly depth: Tensor<'float32'>;
  /** float32 [height, width, 3], camera frame, metres; 0 where there is none. */
  readonly xyz: Tensor;
  readonly mesh: SceneMesh;
  /** float32 [S, 4, 4], row-major, of the mesh about its centre; the identity is the first. */
  readonly symmetries: Float32Array;
}

/** A mesh whose bounding box has its middle at the origin. */
interface SceneMesh {
  readonly tensors: readonly [vertices: Tensor, indices: Tensor, texels: Tensor];
  /** Of the kernel `render-poses`. */
  readonly look: Readonly<Record<'faces' | 'texture_width' | 'texture_height', number>>;
  /** Metres. */
  readonly diameter: number;
  readonly center: readonly number[];
}

type RenderMesh = ReturnType<typeof toRenderMesh>;

/** Meshes that are still in use, ready for rendering: a tracked object's is made once. */
export class RenderMeshes {
  private readonly made = new WeakMap<Mesh, RenderMesh>();

  of(mesh: Mesh): RenderMesh {
    const known = this.made.get(mesh) ?? toRenderMesh(mesh);
    this.made.set(mesh, known);
    return known;
  }
}

/** Uploads a frame and a mesh, and filters the depth. */
export function loadScene(
  backend: Backend,
  keep: Keep,
  { mesh, symmetries }: PoseObject,
  renderMesh: RenderMesh,
  { width, height, rgb, depth: given, intrinsics }: RgbdFrame,
): Scene {
  const size = { width, height };
  const depth = keep(backend.upload(given, [height, width])) as Tensor<'float32'>;
  const eroded = keep(backend.empty('float32', [height, width]));
  const xyz = keep(backend.empty('float32', [height, width, 3]));
  backend.run(depthFilter, [depth, eroded], { ...size, ...ERODE });
  // Into the tensor that the raw depth came in.
  backend.run(depthFilter, [eroded, depth], { ...size, ...SMOOTH });
  const { fx, fy, cx, cy } = intrinsics;
  const range = { min_depth: SMOOTH.min_depth, max_depth: SMOOTH.max_depth };
  backend.run(depthToXyz, [depth, xyz], { ...size, fx, fy, cx, cy, ...range });
  const { vertices, indices, texels, faces, textureWidth, textureHeight } = renderMesh;
  const { center, diameter } = mesh;
  return {
    backend,
    ...size,
    intrinsics,
    rgb: keep(backend.upload(rgb, [height, width, 3])),
    depth,
    xyz,
    mesh: {
      tensors: [
        keep(backend.upload(vertices, [vertices.length / 9, 9])),
        keep(backend.upload(indices, [faces, 3])),
        keep(backend.upload(texels, [texels.length])),
      ],
      look: { faces, texture_width: textureWidth, texture_height: textureHeight },
      diameter,
      center,
    },
    symmetries: aboutCenter(symmetries, center),
  };
}
