/** The scenes of test/fixtures/pose-kernels, for the tests that draw them. */
import type { Backend } from '../../src/compute/backend.ts';
import type { UniformValues } from '../../src/compute/kernel.ts';
import type { TypedArray } from '../../src/compute/tensor.ts';
import { renderPoses } from './kernel.ts';
import { expected, floats, type RenderCase, unpack } from './pose_kernels_fixture.ts';

type Params = UniformValues<typeof renderPoses.uniforms>;

/** What the kernel is given. */
export interface Scene {
  readonly vertices: Float32Array;
  readonly indices: Uint32Array;
  readonly texels: Uint8Array;
  readonly poses: Float32Array;
  readonly windows: Float32Array;
  readonly params: Params;
}

/** Runs the kernel on outputs that held -7. */
export async function renderFixture(backend: Backend, scene: Scene) {
  const { width, height, images } = scene.params;
  const { vertices, indices, texels, poses, windows } = scene;
  const inputs = [vertices, indices, texels, poses, windows].map((data) =>
    backend.upload(data as TypedArray, [data.length]),
  );
  const size = width * height * images * 3;
  const outputs = [0, 1].map(() => backend.upload(new Float32Array(size).fill(-7), [size]));
  backend.draw(renderPoses, [...inputs, ...outputs], scene.params);
  const [rgb, xyz] = (await Promise.all(
    outputs.map((tensor) => backend.download(tensor)),
  )) as Float32Array[];
  backend.release(...inputs, ...outputs);
  return { rgb, xyz };
}

export function sceneOf(one: RenderCase): Scene {
  const [width, height] = one.size;
  const indices = unpack(one.indices) as Uint32Array;
  const [rows, columns] = one.texels?.shape ?? [0, 0];
  return {
    vertices: floats(one.vertices),
    indices,
    texels: one.texels ? (unpack(one.texels) as Uint8Array) : new Uint8Array(3),
    poses: floats(one.poses),
    windows: floats(one.windows),
    params: {
      ...expected.lens,
      width,
      height,
      images: one.views.length,
      faces: indices.length / 3,
      texture_width: columns,
      texture_height: rows,
      colored: 1,
    },
  };
}
