/**
 * A mask's outline along the borders of its pixels, as COCO's polygons.
 *
 * The plane is COCO's: pixel (x, y) is the square from x to x + 1 and from y to y + 1, so a mask of
 * the whole picture is [0, 0, width, 0, width, height, 0, height]. cv2.findContours differs: it joins
 * the middles of border pixels and calls pixel (x, y)'s middle (x, y); a polygon of its own, filled
 * by pycocotools, loses a row and a column.
 */
import { cropMask, type MaskCrop, requireCounts } from './mask_crop.ts';

/** Directions, clockwise on the screen; each is a bit of a corner's ways. */
const EAST = 0;
const SOUTH = 1;
const WEST = 2;
const NORTH = 3;

/**
 * Where to go on from a corner with these ways, coming in a direction: [direction * 16 + ways]. Right
 * before straight on before left: that keeps to the part on the right where two touch by a corner, and
 * goes into every cut that is met.
 */
const NEXT = Uint8Array.from({ length: 64 }, (_, i) => {
  const turns = [1, 0, 3].map((turn) => ((i >> 4) + turn) & 3);
  return turns.find((direction) => ((i >> direction) & 1) === 1) ?? 0;
});

/**
 * The polygons of a mask, [x0, y0, x1, y1, …] each, in whole pixels of the picture (see above).
 *
 * - One polygon for each part whose pixels touch by their sides, clockwise on the screen, from its
 *   topmost, then leftmost corner. Parts that touch only by a corner are two polygons. They come in
 *   the order of those corners, by rows.
 * - COCO's polygons have no holes. A hole's outline is joined to the one above it by a cut: a vertical
 *   line through the part that is passed down and up again and encloses nothing. So the even-odd
 *   rule, the non-zero rule and the shoelace formula are all exact, and pycocotools gives the very
 *   mask back; only a drawing of the lines shows the cut.
 * - Neighbouring pieces in one direction are merged. An empty mask has no polygons.
 *
 * @param counts COCO runs, column by column, the first one outside (see rle.ts).
 * @throws {RangeError} When the runs don't add up to `width * height`.
 */
export function maskPolygons(
  counts: ArrayLike<number>,
  size: { readonly width: number; readonly height: number },
): number[][] {
  requireCounts(counts, size);
  const crop = cropMask(counts, size.height);
  if (crop.box.width === 0) return [];
  const ways = findWays(crop);
  const { outlines, holes } = trace(ways, crop);
  if (holes.length === 0) return outlines;
  for (const { corner } of holes) cutUpwards(ways, corner, crop.stride);
  return trace(ways, crop).outlines;
}

/**
 * The closed borders of a mask, for drawing: like {@link maskPolygons}, but a hole's border is one of
 * its own, counterclockwise on the screen, after those around parts; there are no cuts.
 *
 * @throws {RangeError} When the runs don't add up to `width * height`.
 */
export function maskBorders(
  counts: ArrayLike<number>,
  size: { readonly width: number; readonly height: number },
): number[][] {
  requireCounts(counts, size);
  const crop = cropMask(counts, size.height);
  if (crop.box.width === 0) return [];
  const { outlines, holes } = trace(findWays(crop), crop);
  return [...outlines, ...holes.map(({ border }) => border)];
}

/**
 * The border pieces, one pixel long, that leave each corner of a crop's pixels: bit d is set for one
 * in direction d with the inside on its right. Like the crop [box.height + 2, stride]; the corner at i
 * is the upper left one of pixel i.
 */
function findWays({ data, stride }: MaskCrop): Uint8Array {
  const ways = new Uint8Array(data.length);
  for (let i = stride + 1; i < data.length; i++) {
    const southEast = data[i];
    const northEast = data[i - stride];
    const southWest = data[i - 1];
    const northWest = data[i - stride - 1];
    ways[i] =
      ((southEast & ~northEast) << EAST) |
      ((southWest & ~southEast) << SOUTH) |
      ((northWest & ~southWest) << WEST) |
      ((northEast & ~northWest) << NORTH);
  }
  return ways;
}

/** A hole's topmost, then leftmost corner, and its turning points. */
interface Hole {
  readonly corner: number;
  readonly border: number[];
}

/**
 * Follows every border once. One that leaves its topmost, then leftmost corner to the east goes around
 * a part; one that leaves it to the south goes around a hole.
 */
function trace(ways: Uint8Array, crop: MaskCrop): { outlines: number[][]; holes: Hole[] } {
  const open = ways.slice();
  const outlines: number[][] = [];
  const holes: Hole[] = [];
  for (let corner = 0; corner < open.length; corner++) {
    if ((open[corner] & (1 << EAST)) !== 0) outlines.push(follow(ways, open, corner, EAST, crop));
    if ((open[corner] & (1 << SOUTH)) !== 0) {
      holes.push({ corner, border: follow(ways, open, corner, SOUTH, crop) });
    }
  }
  return { outlines, holes };
}

/** The turning points of one closed border, whose pieces are no longer open then. */
function follow(
  ways: Uint8Array,
  open: Uint8Array,
  start: number,
  first: number,
  { box, stride }: MaskCrop,
): number[] {
  const steps = [1, stride, -1, -stride];
  const points: number[] = [];
  let corner = start;
  let direction = first;
  let before = -1;
  do {
    if (direction !== before) {
      const row = Math.floor(corner / stride);
      points.push(box.x + corner - row * stride - 1, box.y + row - 1);
    }
    open[corner] &= ~(1 << direction);
    corner += steps[direction];
    before = direction;
    direction = NEXT[before * 16 + ways[corner]];
  } while (corner !== start || direction !== first);
  return points;
}

/** Joins a hole, at its topmost, then leftmost corner, to the border above it. */
function cutUpwards(ways: Uint8Array, hole: number, stride: number): void {
  let corner = hole;
  for (let isBorder = false; !isBorder; ) {
    ways[corner] |= 1 << NORTH;
    corner -= stride;
    isBorder = ways[corner] !== 0;
    ways[corner] |= 1 << SOUTH;
  }
}
