/** Filling polygons as pycocotools does: test/fixtures/mask-polygons, described in its README. */
import { join } from 'node:path';

interface PolygonCase {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly polygon: readonly number[];
  readonly counts: string;
}

const folder = join(import.meta.dir, '../../test/fixtures/mask-polygons');
const manifest = await Bun.file(join(folder, 'manifest.json')).json();
export const polygonCases = manifest.polygons as readonly PolygonCase[];

/** Steps a pixel in which pycocotools walks along a polygon. */
const SCALE = 5;

/**
 * The union of polygons [x0, y0, x1, y1, …] as a mask [height, width], row by row, by the rule of
 * pycocotools (rleFrPoly in common/maskApi.c): where an outline passes the middle of a column,
 * everything from the next pixel on, column by column, changes between outside and inside.
 */
export function fillPolygons(
  polygons: readonly (readonly number[])[],
  height: number,
  width: number,
): Uint8Array {
  const columns = new Uint8Array(height * width);
  for (const polygon of polygons) {
    const changes = Uint32Array.from(crossings(walk(polygon), height, width)).sort();
    for (let i = 0; i < changes.length; i += 2) {
      columns.fill(1, changes[i], changes[i + 1] ?? columns.length);
    }
  }
  return columns.map((_, i) => columns[(i % width) * height + Math.floor(i / width)]);
}

/** Every point of the outline on a grid of `SCALE` steps a pixel, edge after edge. */
function walk(polygon: readonly number[]): (readonly [number, number])[] {
  const corners = polygon.map((value) => Math.trunc(SCALE * value + 0.5));
  const points: (readonly [number, number])[] = [];
  for (let i = 0; i < corners.length; i += 2) {
    const next = (i + 2) % corners.length;
    points.push(...edge([corners[i], corners[i + 1]], [corners[next], corners[next + 1]]));
  }
  return points;
}

function edge(from: readonly [number, number], to: readonly [number, number]) {
  const length = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
  const long = Math.abs(to[0] - from[0]) >= Math.abs(to[1] - from[1]) ? 0 : 1;
  // Roundings go the same way whichever end the edge is walked from.
  const [low, high] = from[long] > to[long] ? [to, from] : [from, to];
  const slope = (high[1 - long] - low[1 - long]) / length;
  const points = Array.from({ length: length + 1 }, (_, step): [number, number] => {
    const across = Math.trunc(low[1 - long] + (length === 0 ? 0 : slope * step) + 0.5);
    return long === 0 ? [low[0] + step, across] : [across, low[1] + step];
  });
  return low === from ? points : points.reverse();
}

/** The column-major pixels at which the outline changes a column. */
function* crossings(
  points: readonly (readonly [number, number])[],
  height: number,
  width: number,
): Generator<number> {
  for (let i = 1; i < points.length; i++) {
    const [[u0, v0], [u, v]] = [points[i - 1], points[i]];
    if (u === u0) continue;
    const x = ((u < u0 ? u : u - 1) + 0.5) / SCALE - 0.5;
    if (!Number.isInteger(x) || x < 0 || x > width - 1) continue;
    const y = (Math.min(v, v0) + 0.5) / SCALE - 0.5;
    yield x * height + Math.ceil(Math.min(Math.max(y, 0), height));
  }
}
