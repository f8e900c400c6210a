/** The axes of an object's frame, as SVG over a picture. */
import type { PictureCamera } from './cloud_picture.ts';
import { openTypeface, type Typeface } from './glyphs.ts';
import type { Rgb } from './palette.ts';
import type { PixelBox } from './rle.ts';

/** x red, y green, z blue, as everywhere; light enough to be seen on what is dark. */
const AXES: readonly (readonly [name: string, colour: Rgb])[] = [
  ['x', [255, 59, 48]],
  ['y', [52, 216, 74]],
  ['z', [56, 139, 255]],
];

/** Nearer than this share of the middle's depth an axis is cut off. */
const NEAR = 0.1;
/** Of an arrow's head, in widths of its line. */
const HEAD_LENGTH = 4.2;
const HEAD_WIDTH = 3.2;
/** An arrow that points at the viewer is mostly head, but not all of it. */
const MOST_HEAD = 0.6;
/** How far beyond the head its letter's middle is, in sizes of the letter. */
const LETTER_AWAY = 0.75;

type Point = readonly [x: number, y: number];

interface AxesStyle {
  /** Pixels of the drawing for a pixel of the picture. */
  readonly scale: number;
  /** Of the lines, in pixels of the drawing. */
  readonly lineWidth: number;
  /** Height of the letters' em, in pixels of the drawing. */
  readonly textSize: number;
}

/** SVG elements, and where each axis lies in the drawing. */
interface DrawnAxes {
  readonly svg: string;
  readonly boxes: readonly PixelBox[];
}

/**
 * The three axes with their letters, the farthest first; none where the origin is not in front of the
 * camera.
 *
 * @param pose [4, 4], row-major: object → camera (x right, y down, z ahead), metres
 * @param origin Where they begin, in the object's frame, metres.
 * @param length Of each, metres.
 */
export async function drawAxes(
  pose: ArrayLike<number>,
  origin: readonly [x: number, y: number, z: number],
  length: number,
  camera: PictureCamera,
  style: AxesStyle,
): Promise<DrawnAxes> {
  const face = await openTypeface();
  const from = [0, 4, 8].map(
    (row) =>
      pose[row] * origin[0] + pose[row + 1] * origin[1] + pose[row + 2] * origin[2] + pose[row + 3],
  );
  if (!(from[2] > 0)) return { svg: '', boxes: [] };
  const project = ([x, y, z]: readonly number[]): Point => [
    (camera.cx + (camera.fx * x) / z + 0.5) * style.scale,
    (camera.cy + (camera.fy * y) / z + 0.5) * style.scale,
  ];
  const arrows = AXES.map(([name, colour], axis) => {
    const along = [0, 4, 8].map((row) => pose[row + axis] * length);
    const inFront = along[2] < 0 ? Math.min(1, ((1 - NEAR) * from[2]) / -along[2]) : 1;
    const tip = from.map((value, k) => value + inFront * along[k]);
    return { name, colour, z: tip[2], from: project(from), to: project(tip) };
  }).toSorted((a, b) => b.z - a.z);
  return {
    svg: arrows.map((arrow) => drawArrow(face, arrow, style)).join(''),
    boxes: arrows.map((arrow) => boxAround(arrow, style.textSize)),
  };
}

interface Arrow {
  readonly name: string;
  readonly colour: Rgb;
  readonly from: Point;
  readonly to: Point;
}

function boxAround({ from, to }: Arrow, textSize: number): PixelBox {
  const [x, y] = [0, 1].map((k) => Math.min(from[k], to[k]) - textSize);
  const [right, bottom] = [0, 1].map((k) => Math.max(from[k], to[k]) + textSize);
  return { x, y, width: right - x, height: bottom - y };
}

function drawArrow(
  face: Typeface,
  { name, colour, from, to }: Arrow,
  { lineWidth, textSize }: AxesStyle,
): string {
  const reach = Math.hypot(to[0] - from[0], to[1] - from[1]);
  // An axis that points straight at the viewer is a dot, with its letter to the right.
  const [dx, dy] = reach > 0 ? [(to[0] - from[0]) / reach, (to[1] - from[1]) / reach] : [1, 0];
  const head = Math.min(HEAD_LENGTH * lineWidth, MOST_HEAD * reach);
  const half = (head * HEAD_WIDTH) / HEAD_LENGTH / 2;
  const neck: Point = [to[0] - head * dx, to[1] - head * dy];
  const line = `M${at(from)}L${at(neck)}`;
  const corners = [
    to,
    [neck[0] - half * dy, neck[1] + half * dx],
    [neck[0] + half * dy, neck[1] - half * dx],
  ];
  const arrow = `M${corners.map((corner) => at(corner as Point)).join('L')}Z`;
  const away = LETTER_AWAY * textSize;
  const letter = face.pathOf(
    name,
    to[0] + away * dx - face.widthOf(name, textSize) / 2,
    to[1] + away * dy + X_HEIGHT * textSize,
    textSize,
  );
  const ink = `rgb(${colour})`;
  return [
    `<g stroke="${HALO}" stroke-width="${0.9 * lineWidth}" stroke-linejoin="round">`,
    `<path stroke-width="${1.9 * lineWidth}" stroke-linecap="round" d="${line}"/>`,
    `<path d="${arrow}"/><path d="${letter}"/></g>`,
    `<path stroke="${ink}" stroke-width="${lineWidth}" stroke-linecap="round" d="${line}"/>`,
    `<path fill="${ink}" d="${arrow}"/><path fill="${ink}" d="${letter}"/>`,
  ].join('');
}

/** Half of a small letter's height, in ems: what brings its middle to a place. */
const X_HEIGHT = 0.28;
/** Around the lines, so that they are seen on any ground. */
const HALO = 'rgb(20,20,24)';

function at([x, y]: Point): string {
  return `${x.toFixed(2)} ${y.toFixed(2)}`;
}
