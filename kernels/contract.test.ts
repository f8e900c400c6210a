/** What WebGPU cannot check: that each kernel's TypeScript and WGSL agree on their interface. */
import { describe, expect, test } from 'bun:test';
import type { Kernel } from '../src/compute/kernel.ts';
import { cropWarp } from './crop-warp/kernel.ts';
import { depthFilter } from './depth-filter/kernel.ts';
import { depthToXyz } from './depth-to-xyz/kernel.ts';
import { icpSolve } from './icp-solve/kernel.ts';
import { icpStep } from './icp-step/kernel.ts';
import { imageToTensor } from './image-to-tensor/kernel.ts';
import { maskRleBits } from './mask-rle-bits/kernel.ts';
import { maskRleCount } from './mask-rle-count/kernel.ts';
import { maskRleWrite } from './mask-rle-write/kernel.ts';
import { poseCrops } from './pose-crops/kernel.ts';
import { poseInput } from './pose-input/kernel.ts';
import { poseScore } from './pose-score/kernel.ts';
import { poseUpdate } from './pose-update/kernel.ts';
import { renderPoses } from './render-poses/kernel.ts';
import { resizeAntialiasColumns } from './resize-antialias-columns/kernel.ts';
import { resizeAntialiasRows } from './resize-antialias-rows/kernel.ts';
import { resizeDepth } from './resize-depth/kernel.ts';
import { unproject } from './unproject/kernel.ts';
import { xyzNormals } from './xyz-normals/kernel.ts';

/** Every kernel; a folder that is missing here fails the last test. */
const kernels = [
  renderPoses,
  poseCrops,
  poseInput,
  poseScore,
  poseUpdate,
  depthToXyz,
  depthFilter,
  cropWarp,
  icpStep,
  icpSolve,
  imageToTensor,
  maskRleBits,
  maskRleCount,
  maskRleWrite,
  resizeAntialiasColumns,
  resizeAntialiasRows,
  resizeDepth,
  unproject,
  xyzNormals,
] as unknown as Kernel[];

const WGSL_TYPE: Record<string, string> = {
  float32: 'f32',
  uint8: 'u32', // four bytes a word
  uint32: 'u32',
};

describe.each(kernels.map((kernel) => [kernel.name, kernel] as const))('%s', (_, kernel) => {
  test('uniforms are the fields of struct Params, in order', () => {
    const struct = /struct Params \{([^}]*)\}/.exec(kernel.wgsl)?.[1] ?? '';
    const fields = [...struct.matchAll(/(\w+): (\w+),/g)].map(([, name, type]) => [name, type]);
    expect(fields).toEqual(Object.entries(kernel.uniforms));
  });

  test('buffers are the bindings, in order, with their access and type', () => {
    const bindings = [
      ...kernel.wgsl.matchAll(/@binding\((\d+)\) var<storage, (\w+)> (\w+): array<(\w+)>;/g),
    ].map(([, index, access, name, type]) => [Number(index), access, name, type]);
    const declared = kernel.buffers.map(({ name, dtype, access }, index) => [
      index,
      access === 'read' ? 'read' : 'read_write',
      name,
      WGSL_TYPE[dtype],
    ]);
    expect(bindings).toEqual(declared);
    expect(kernel.wgsl).toContain(`@binding(${kernel.buffers.length}) var<uniform> params: Params`);
  });

  test('the workgroup is the declared one', () => {
    expect(kernel.wgsl).toContain(`@workgroup_size(${kernel.workgroup.join(', ')})`);
  });
});

test('every kernel folder is checked', () => {
  const folders = [...new Bun.Glob('*/kernel.ts').scanSync(import.meta.dir)];
  expect(folders.map((path) => path.split('/')[0]).sort()).toEqual(
    kernels.map(({ name }) => name).sort(),
  );
});
