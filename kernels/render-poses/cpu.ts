import { CameraVertices, STRIDE } from './camera_vertices.ts';
import { Coverage } from './coverage.ts';
import { drawTriangles } from './draw.ts';
import type { RenderPosesBuffers, RenderPosesParams } from './params.ts';
import { shadePixels } from './shade.ts';

/**
 * CPU twin of render-poses.wgsl: the same two steps, image by image. First the nearest triangle of
 * each pixel, then what its ray meets there.
 */
export function renderPosesCpu(buffers: RenderPosesBuffers, params: RenderPosesParams): void {
  const { vertices, poses, windows } = buffers;
  const { width, height, images } = params;
  const camera = new CameraVertices(vertices.length / STRIDE);
  const coverage = new Coverage(width, height, params.z_far);
  for (let image = 0; image < images; image++) {
    const pose = poses.subarray(image * 16, image * 16 + 16);
    const window = windows.subarray(image * 4, image * 4 + 4);
    camera.load(vertices, pose, window, params);
    coverage.clear();
    drawTriangles(coverage, camera, buffers.indices.subarray(0, params.faces * 3), params.z_near);
    shadePixels(coverage, camera, buffers, window, image, params);
  }
}
