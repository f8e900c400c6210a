import { SUBPIXELS } from './camera_vertices.ts';

const HALF = SUBPIXELS / 2;

/** A corner of a triangle: x and y in whole subpixels, and 1/z, which is linear on the screen. */
export interface ScreenCorner {
  readonly x: number;
  readonly y: number;
  readonly inverseZ: number;
}

/** The nearest triangle of each pixel of one crop. */
export class Coverage {
  /** int32 [h·w]: the triangle's number + 1, or 0 where there is none. */
  readonly ids: Int32Array;
  /** 1/z of the nearest so far. */
  private readonly inverseZ: Float32Array;
  private readonly farthest: number;

  constructor(
    readonly width: number,
    readonly height: number,
    far: number,
  ) {
    this.ids = new Int32Array(width * height);
    this.inverseZ = new Float32Array(width * height);
    this.farthest = Math.fround(1 / far);
  }

  clear(): void {
    this.ids.fill(0);
    this.inverseZ.fill(this.farthest);
  }

  /**
   * Draws a triangle of either winding on the pixels whose centres are inside. A centre on an edge
   * belongs to the triangle that has it as its top or left edge, so that triangles with a common
   * edge share no pixel and leave none out. As corners are integers, so are the edge functions
   * (Pineda 1988): exact in float64.
   */
  draw(
    id: number,
    ax: number,
    ay: number,
    az: number,
    bx: number,
    by: number,
    bz: number,
    cx: number,
    cy: number,
    cz: number,
  ): void {
    const left = Math.max(Math.ceil((Math.min(ax, bx, cx) - HALF) / SUBPIXELS), 0);
    const right = Math.min(Math.floor((Math.max(ax, bx, cx) - HALF) / SUBPIXELS), this.width - 1);
    if (left > right) return;
    const top = Math.max(Math.ceil((Math.min(ay, by, cy) - HALF) / SUBPIXELS), 0);
    const bottom = Math.min(Math.floor((Math.max(ay, by, cy) - HALF) / SUBPIXELS), this.height - 1);
    if (top > bottom) return;
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (area > 0) this.fill(id, left, right, top, bottom, area, ax, ay, az, bx, by, bz, cx, cy, cz);
    if (area < 0) {
      this.fill(id, left, right, top, bottom, -area, ax, ay, az, cx, cy, cz, bx, by, bz);
    }
  }

  /** A triangle that runs clockwise as seen (y is down), on the pixels of a rectangle. */
  private fill(
    id: number,
    left: number,
    right: number,
    top: number,
    bottom: number,
    area: number,
    ax: number,
    ay: number,
    az: number,
    bx: number,
    by: number,
    bz: number,
    cx: number,
    cy: number,
    cz: number,
  ): void {
    const { ids, inverseZ, width } = this;
    const x = left * SUBPIXELS + HALF;
    const y = top * SUBPIXELS + HALF;
    // Edge functions at the first pixel, one more where the edge itself is inside: above 0 inside.
    let rowA = edge(bx, by, cx, cy, x, y);
    let rowB = edge(cx, cy, ax, ay, x, y);
    let rowC = edge(ax, ay, bx, by, x, y);
    const rightA = (by - cy) * SUBPIXELS;
    const rightB = (cy - ay) * SUBPIXELS;
    const rightC = (ay - by) * SUBPIXELS;
    const downA = (cx - bx) * SUBPIXELS;
    const downB = (ax - cx) * SUBPIXELS;
    const downC = (bx - ax) * SUBPIXELS;
    const perX = ((bz - az) * (cy - ay) - (cz - az) * (by - ay)) / area;
    const perY = ((cz - az) * (bx - ax) - (bz - az) * (cx - ax)) / area;
    let rowZ = az + perX * (x - ax) + perY * (y - ay);
    for (let row = top; row <= bottom; row++) {
      let a = rowA;
      let b = rowB;
      let c = rowC;
      let z = rowZ;
      const end = row * width + right;
      for (let pixel = row * width + left; pixel <= end; pixel++) {
        if (a > 0 && b > 0 && c > 0 && Math.fround(z) > inverseZ[pixel]) {
          inverseZ[pixel] = z;
          ids[pixel] = id;
        }
        a += rightA;
        b += rightB;
        c += rightC;
        z += perX * SUBPIXELS;
      }
      rowA += downA;
      rowB += downB;
      rowC += downC;
      rowZ += perY * SUBPIXELS;
    }
  }
}

/** Twice the area of (p, q, point), positive on the inner side; see `fill`. */
function edge(px: number, py: number, qx: number, qy: number, x: number, y: number): number {
  const dx = qx - px;
  const dy = qy - py;
  const isTopOrLeft = dy < 0 || (dy === 0 && dx > 0);
  return dx * (y - py) - dy * (x - px) + (isTopOrLeft ? 1 : 0);
}
