/** Plates with a line of text beside objects in a picture. */
import { giveWay } from './give_way.ts';
import { fitText, oneLine, openTypeface, type Typeface } from './glyphs.ts';
import { inkOn, type Rgb } from './palette.ts';
import type { PixelBox } from './rle.ts';

/** What a plate says, and where. */
export interface Label {
  readonly text: string;
  /** Said after the text with two decimals, and never shortened. Left out where it isn't finite. */
  readonly score: number;
  /** What it belongs to: the plate stands at its upper left corner. */
  readonly box: PixelBox;
  /** Of the plate; the text is black or white. */
  readonly colour: Rgb;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Longest plate in heights of its text. */
const MAX_EMS = 20;
const LINE_HEIGHT = 1.4;
const PADDING = 0.35;
/** From its line's top, in shares of the plate's height: capitals and digits are in the middle. */
const BASELINE = 0.76;

/**
 * SVG elements of the labels' plates, all inside the picture. Each takes the first free place near its
 * box; one that finds no free place in its box's column covers as little as it can. A plate for which
 * the picture is too small is left out.
 *
 * @param textSize Height of the em in pixels.
 * @param avoid Places that are taken before the first.
 */
export async function drawLabels(
  labels: readonly Label[],
  picture: Size,
  textSize: number,
  avoid: readonly PixelBox[] = [],
): Promise<string> {
  const face = await openTypeface();
  const taken = [...avoid];
  let svg = '';
  for (const { text, score, box, colour } of labels) {
    await giveWay();
    const line = lineOf(face, text, score, textSize, picture.width);
    const width = Math.ceil(face.widthOf(line, textSize) + 2 * PADDING * textSize);
    const height = Math.round(LINE_HEIGHT * textSize);
    if (line === '' || width > picture.width || height > picture.height) continue;
    const plate = placePlate({ width, height }, box, picture, taken);
    taken.push(plate);
    const from = plate.x + PADDING * textSize;
    const path = face.pathOf(line, from, Math.round(plate.y + BASELINE * height), textSize);
    svg += `<rect x="${plate.x}" y="${plate.y}" width="${width}" height="${height}"`;
    svg += ` fill="rgb(${colour})"/><path fill="rgb(${inkOn(colour)})" d="${path}"/>`;
  }
  return svg;
}

function lineOf(face: Typeface, text: string, score: number, size: number, room: number): string {
  const figure = Number.isFinite(score) ? score.toFixed(2) : '';
  const tail = figure === '' ? '' : ` ${figure}`;
  const longest = Math.min(MAX_EMS * size, room) - 2 * PADDING * size;
  const name = fitText(face, oneLine(text), size, longest - face.widthOf(tail, size));
  return name === '' ? figure : name + tail;
}

/** Where a plate goes: the first free candidate, else the one that covers least of `taken`. */
export function placePlate(
  plate: Size,
  box: PixelBox,
  picture: Size,
  taken: readonly PixelBox[],
): PixelBox {
  let best: PixelBox | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const place of candidates(plate, box, picture)) {
    const covered = coveredPixels(place, taken, least);
    if (covered < least) {
      best = place;
      least = covered;
    }
    if (covered === 0) break;
  }
  return best ?? { ...plate, x: 0, y: 0 };
}

/** On the box's upper side, inside it, at its right end, below it; then ever farther up and down. */
function* candidates(plate: Size, box: PixelBox, picture: Size): Generator<PixelBox> {
  const at = (x: number, y: number): PixelBox => ({
    ...plate,
    x: clamp(x, picture.width - plate.width),
    y: clamp(y, picture.height - plate.height),
  });
  const right = box.x + box.width - plate.width;
  const above = box.y - plate.height;
  yield at(box.x, above);
  yield at(box.x, box.y);
  yield at(right, above);
  yield at(right, box.y);
  yield at(box.x, box.y + box.height);
  for (let step = 1; step * plate.height < picture.height; step++) {
    yield at(box.x, box.y + step * plate.height);
    yield at(box.x, above - step * plate.height);
  }
}

function clamp(value: number, last: number): number {
  return Math.round(Math.min(Math.max(value, 0), last));
}

/** Pixels of plates under a place, each plate for itself; no more than tells that `enough` are. */
function coveredPixels(place: PixelBox, taken: readonly PixelBox[], enough: number): number {
  let covered = 0;
  for (const other of taken) {
    covered += sharedPixels(place, other);
    if (covered >= enough) break;
  }
  return covered;
}

function sharedPixels(a: PixelBox, b: PixelBox): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(width, 0) * Math.max(height, 0);
}
