import { defineKernel } from '../../src/compute/kernel.ts';
import { depthFilterCpu } from './cpu.ts';
import wgsl from './depth-filter.wgsl' with { type: 'text' };

/**
 * Depth float32 [h, w] → float32 [h, w], over windows of (2·radius + 1)² pixels that the image's
 * border cuts. Depth is valid from min_depth to below max_depth; 0 stands for none.
 *
 * Stage 0 erodes: a valid pixel becomes 0 where the share of its window that is invalid, or farther
 * than max_difference from it in depth, passes max_bad_share; an invalid one is 0.
 *
 * Stage 1 smooths: a bilateral mean (Gaussian in pixels with sigma_space, in depth with sigma_depth)
 * of the valid pixels that are less than max_difference from the mean of all valid ones in the
 * window, and 0 where there are none. It also fills pixels that are invalid themselves.
 */
export const depthFilter = defineKernel({
  name: 'depth-filter',
  wgsl,
  buffers: [
    { name: 'depth', dtype: 'float32', access: 'read' },
    { name: 'filtered', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    width: 'u32',
    height: 'u32',
    stage: 'u32',
    radius: 'u32',
    min_depth: 'f32',
    max_depth: 'f32',
    max_difference: 'f32',
    max_bad_share: 'f32',
    sigma_space: 'f32',
    sigma_depth: 'f32',
  },
  workgroup: [16, 16, 1],
  invocations: ({ width, height }) => [width, height, 1],
  cpu: ([depth, filtered], params) =>
    depthFilterCpu(depth as Float32Array, filtered as Float32Array, params),
});

const COMMON = { radius: 2, min_depth: 0.001, max_depth: 100, max_bad_share: 0.8 };
const SIGMAS = { sigma_space: 2, sigma_depth: 1e5 };

/** FoundationPose's erosion, for depth in metres. */
export const ERODE = { ...COMMON, ...SIGMAS, stage: 0, max_difference: 0.001 } as const;

/** FoundationPose's bilateral filter, for depth in metres. */
export const SMOOTH = { ...COMMON, ...SIGMAS, stage: 1, max_difference: 0.01 } as const;
