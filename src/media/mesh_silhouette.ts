import { CameraVertices, STRIDE, SUBPIXELS } from '../../kernels/render-poses/camera_vertices.ts';
import { Coverage } from '../../kernels/render-poses/coverage.ts';
import { drawTriangles } from '../../kernels/render-poses/draw.ts';
import { VIEW } from '../../kernels/render-poses/kernel.ts';
import type { RenderPosesParams } from '../../kernels/render-poses/params.ts';
import type { PictureCamera } from './cloud_picture.ts';
import type { Mesh } from './mesh/mesh.ts';
import { maskBorders } from './outline.ts';
import { countsFromMask } from './rle_pixels.ts';

/** What is seen of a mesh reaches this far beyond the picture, so that no border runs along its edge. */
const BEYOND = 8;
/** Memory for a silhouette, in its own pixels. */
const MOST_PIXELS = 2 ** 23;
/** Metres; as good as none. */
const FARTHEST = 1e6;

/** A rectangle in pixels of a picture: pixel (x, y) is the square from x to x + 1 and from y to y + 1. */
interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * The closed borders of what a camera sees of a mesh, holes' ones too: [x0, y0, x1, y1, …] each, in
 * pixels of the picture, where pixel (x, y) is the square from x to x + 1 and from y to y + 1. They run
 * along the sides of smaller pixels. Nothing hides the mesh; what is behind the camera is not seen.
 *
 * @param pose [4, 4], row-major: the mesh's own coordinates → camera (x right, y down, z ahead), metres
 * @param fineness Smaller pixels along a pixel's side; fewer where the object is very large.
 */
export function silhouetteBorders(
  mesh: Pick<Mesh, 'positions' | 'indices'>,
  pose: ArrayLike<number>,
  camera: PictureCamera,
  fineness: number,
): number[][] {
  const vertices = toVertices(mesh.positions);
  const seen = new CameraVertices(vertices.length / STRIDE);
  const rows = Float32Array.from(pose);
  const whole = { left: 0, top: 0, right: camera.width, bottom: camera.height };
  project(seen, vertices, rows, camera, whole, 1);
  const { left, top, right, bottom } = boxOf(seen, camera);
  if (left >= right || top >= bottom) return [];
  const area = (right - left) * (bottom - top);
  const fine = Math.max(1, Math.min(fineness, Math.floor(Math.sqrt(MOST_PIXELS / area))));
  const part = { left, top, right, bottom };
  const { width, height } = project(seen, vertices, rows, camera, part, fine);
  const coverage = new Coverage(width, height, FARTHEST);
  coverage.clear();
  drawTriangles(coverage, seen, mesh.indices, VIEW.z_near);
  const mask = Uint8Array.from(coverage.ids, (id) => (id === 0 ? 0 : 1));
  const borders = maskBorders(countsFromMask(mask, height, width), { width, height });
  return borders.map((border) =>
    border.map((value, i) => value / fine + (i % 2 === 0 ? left : top)),
  );
}

/** Positions in the renderer's layout; without colours it reads nothing else. */
function toVertices(positions: Float32Array): Float32Array {
  const vertices = new Float32Array((positions.length / 3) * STRIDE);
  for (let from = 0, to = 0; from < positions.length; from += 3, to += STRIDE) {
    vertices[to] = positions[from];
    vertices[to + 1] = positions[from + 1];
    vertices[to + 2] = positions[from + 2];
  }
  return vertices;
}

/** Where a mesh's vertices are in a part of the picture, `fine` times as large. */
function project(
  seen: CameraVertices,
  vertices: Float32Array,
  pose: Float32Array,
  { fx, fy, cx, cy }: PictureCamera,
  { left, top, right, bottom }: Rectangle,
  fine: number,
): { width: number; height: number } {
  const size = { width: (right - left) * fine, height: (bottom - top) * fine };
  const texture = { texture_width: 0, texture_height: 0 };
  const lens = { fx, fy, cx, cy };
  const params: RenderPosesParams = { ...size, ...lens, ...texture, ...VIEW, ...PLAIN };
  // The camera has the first pixel's centre at (0, 0), the rectangle its corner.
  seen.load(vertices, pose, Float32Array.of(left, top, right, bottom).map(minusHalf), params);
  return size;
}

const PLAIN = { images: 1, faces: 0, colored: 0 } as const;
const minusHalf = (value: number) => value - 0.5;

/** The whole pixels that the projected vertices reach, within what is drawn. */
function boxOf({ x, y, inverseZ }: CameraVertices, { width, height }: PictureCamera): Rectangle {
  const all = { left: -BEYOND, top: -BEYOND, right: width + BEYOND, bottom: height + BEYOND };
  // A triangle that crosses the camera's plane reaches as far as can be.
  if (inverseZ.includes(0)) return all;
  const [left, right] = range(x);
  const [top, bottom] = range(y);
  return {
    left: Math.max(left, all.left),
    top: Math.max(top, all.top),
    right: Math.min(right, all.right),
    bottom: Math.min(bottom, all.bottom),
  };
}

function range(subpixels: Float64Array): [first: number, end: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of subpixels) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [Math.floor(low / SUBPIXELS), Math.ceil(high / SUBPIXELS)];
}
