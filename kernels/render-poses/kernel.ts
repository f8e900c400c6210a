import { defineRasterKernel } from '../../src/compute/raster.ts';
import { renderPosesCpu } from './cpu.ts';
import wgsl from './render-poses.wgsl' with { type: 'text' };

/**
 * A mesh at N poses → N crops: rgb float32 [N, h, w, 3] in [0, 1] and xyz float32 [N, h, w, 3],
 * the points that are seen, in the camera frame of OpenCV (x right, y down, z forward), in metres.
 * Where nothing is seen both are 0.
 *
 * - `vertices` float32 [V, 9]: position in the object's frame (metres); unit normal; and RGB in
 *   [0, 1] or, with a texture, u, v, 0 (v down; outside of [0, 1] the texture repeats).
 * - `indices` uint32 [faces, 3].
 * - `texels` uint8 [texture_height, texture_width, 3]; anything where texture_width is 0.
 * - `poses` float32 [N, 4, 4], row-major: object → camera, a rotation and a translation.
 * - `windows` float32 [N, 4]: left, top, right, bottom of each crop in the image, in pixels whose
 *   centres are integers. Pixel (i, j) of a crop is the ray through
 *   (left + (i + ½)(right − left)/w, top + (j + ½)(bottom − top)/h).
 *
 * Both sides of a triangle are drawn, those of a pixel's centre only (no antialiasing), between
 * z_near and z_far. A colour c becomes clip(c·(ambient + diffuse·l), 0, 1), where l, interpolated
 * between vertices, is clip(−n_z, 0, 1): the light comes from the camera. Textures are bilinear.
 * With `colored` 0, `rgb` is untouched, and normals, colours and texture are unread.
 */
export const renderPoses = defineRasterKernel({
  name: 'render-poses',
  wgsl,
  buffers: [
    { name: 'vertices', dtype: 'float32', access: 'read' },
    { name: 'indices', dtype: 'uint32', access: 'read' },
    { name: 'texels', dtype: 'uint8', access: 'read' },
    { name: 'poses', dtype: 'float32', access: 'read' },
    { name: 'windows', dtype: 'float32', access: 'read' },
    { name: 'rgb', dtype: 'float32', access: 'write' },
    { name: 'xyz', dtype: 'float32', access: 'write' },
  ],
  uniforms: {
    width: 'u32',
    height: 'u32',
    images: 'u32',
    faces: 'u32',
    texture_width: 'u32',
    texture_height: 'u32',
    colored: 'u32',
    fx: 'f32',
    fy: 'f32',
    cx: 'f32',
    cy: 'f32',
    z_near: 'f32',
    z_far: 'f32',
    ambient: 'f32',
    diffuse: 'f32',
  },
  workgroup: [16, 16, 1],
  extent: ({ images, width, height, faces }) => ({ images, width, height, triangles: faces }),
  cpu: ([vertices, indices, texels, poses, windows, rgb, xyz], params) =>
    renderPosesCpu(
      {
        vertices: vertices as Float32Array,
        indices: indices as Uint32Array,
        texels: texels as Uint8Array,
        poses: poses as Float32Array,
        windows: windows as Float32Array,
        rgb: rgb as Float32Array,
        xyz: xyz as Float32Array,
      },
      params,
    ),
});

/** FoundationPose's range in metres, and its light. */
export const VIEW = { z_near: 0.001, z_far: 100, ambient: 0.8, diffuse: 0.5 } as const;
