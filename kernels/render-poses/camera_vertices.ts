import type { RenderPosesParams } from './params.ts';

/** Floats of a vertex: position, normal, colour or texture coordinate. */
export const STRIDE = 9;

/** Steps of a pixel that corners are rounded to, as most GPUs do: edges are exact integers then. */
export const SUBPIXELS = 256;

/** A mesh's vertices at one pose and in one crop. */
export class CameraVertices {
  /** float32 [V, 3], camera frame, metres. */
  readonly points: Float32Array;
  /** Position in the crop, in whole subpixels; (0, 0) is the upper left pixel's corner. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** 1/z, or 0 where the vertex is nearer than z_near and its position meaningless. */
  readonly inverseZ: Float64Array;
  /** How much the vertex faces the camera, in [0, 1]; only if colours are wanted. */
  readonly facing: Float32Array;
  /** Subpixels per z: x = (scaleX·X + shiftX·Z)/Z. */
  scaleX = 0;
  shiftX = 0;
  scaleY = 0;
  shiftY = 0;

  constructor(count: number) {
    this.points = new Float32Array(count * 3);
    this.x = new Float64Array(count);
    this.y = new Float64Array(count);
    this.inverseZ = new Float64Array(count);
    this.facing = new Float32Array(count);
  }

  load(
    vertices: Float32Array,
    pose: Float32Array,
    window: Float32Array,
    params: RenderPosesParams,
  ): void {
    this.setWindow(window, params);
    this.project(vertices, pose, params.z_near);
    if (params.colored !== 0) this.light(vertices, pose);
  }

  private setWindow(window: Float32Array, params: RenderPosesParams): void {
    const [left, top, right, bottom] = window;
    const across = (params.width * SUBPIXELS) / (right - left);
    const down = (params.height * SUBPIXELS) / (bottom - top);
    this.scaleX = params.fx * across;
    this.shiftX = (params.cx - left) * across;
    this.scaleY = params.fy * down;
    this.shiftY = (params.cy - top) * down;
  }

  private project(vertices: Float32Array, pose: Float32Array, near: number): void {
    const { points, x, y, inverseZ, scaleX, shiftX, scaleY, shiftY } = this;
    const [a, b, c, tx, d, e, f, ty, g, h, i, tz] = pose;
    for (let vertex = 0, at = 0, out = 0; vertex < x.length; vertex++, at += STRIDE, out += 3) {
      const px = vertices[at];
      const py = vertices[at + 1];
      const pz = vertices[at + 2];
      const cameraX = a * px + b * py + c * pz + tx;
      const cameraY = d * px + e * py + f * pz + ty;
      const cameraZ = g * px + h * py + i * pz + tz;
      points[out] = cameraX;
      points[out + 1] = cameraY;
      points[out + 2] = cameraZ;
      const inverse = cameraZ >= near ? 1 / cameraZ : 0;
      inverseZ[vertex] = inverse;
      x[vertex] = Math.floor(scaleX * cameraX * inverse + shiftX + 0.5);
      y[vertex] = Math.floor(scaleY * cameraY * inverse + shiftY + 0.5);
    }
  }

  private light(vertices: Float32Array, pose: Float32Array): void {
    const { facing } = this;
    const [g, h, i] = [pose[8], pose[9], pose[10]];
    for (let vertex = 0, at = 3; vertex < facing.length; vertex++, at += STRIDE) {
      const z = g * vertices[at] + h * vertices[at + 1] + i * vertices[at + 2];
      facing[vertex] = Math.min(Math.max(-z, 0), 1);
    }
  }
}
