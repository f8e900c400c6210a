import sharp from 'sharp';
import { giveWay } from './give_way.ts';
import { drawLabels } from './labels.ts';
import { cropMask, type MaskCrop, requireCounts } from './mask_crop.ts';
import { colourOf, type Rgb } from './palette.ts';
import type { PixelBox } from './rle.ts';

/** What is drawn of one object. */
export interface OverlayObject {
  /** COCO runs of the picture's size, column by column, the first one outside (see rle.ts). */
  readonly counts: ArrayLike<number>;
  /** Any text, a stranger's too. */
  readonly label: string;
  /** Written after the label with two decimals. */
  readonly score: number;
  /** Where the label goes: at its upper left corner. */
  readonly box: PixelBox;
}

/** A picture and what was found in it. */
export interface Overlay {
  /** Packed RGB, uint8, row by row, `width * height * 3` bytes. It is left as it is. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** The first ones come first: their outlines lie above the others', their labels keep their place. */
  readonly objects: readonly OverlayObject[];
}

/** Share of the object's colour in its area, of 256. */
const FILL = 110;

/**
 * The picture with each object's area tinted, its outline inside the area (2 pixels wide, more in
 * pictures from 1250x1250 on, 1 below 256x256), and a plate with its label and score, as an RGB PNG
 * of the same size. An object's colour depends on its index only;
 * one without pixels has no plate.
 *
 * @throws {RangeError} When the pixels or an object's runs don't fill the picture.
 */
export async function drawOverlay(overlay: Overlay): Promise<Uint8Array<ArrayBuffer>> {
  const { pixels, width, height, objects } = overlay;
  if (pixels.length !== width * height * 3) {
    throw new RangeError(`${pixels.length} bytes are not the RGB pixels of ${width}x${height}`);
  }
  for (const { counts } of objects) {
    await giveWay();
    requireCounts(counts, overlay);
  }
  const rgb = await drawMasks(overlay);
  const labels = objects
    .map(({ label, score, box }, index) => ({ text: label, score, box, colour: colourOf(index) }))
    .filter(({ box }) => box.width > 0);
  const svg = await drawLabels(labels, { width, height }, textSizeFor(width, height));
  return encodeWithLayer(rgb, width, height, svg);
}

async function drawMasks({ pixels, width, height, objects }: Overlay): Promise<Uint8Array> {
  const rgb = new Uint8Array(pixels);
  // Outlines are kept until all areas are tinted: 0 for none, else the object's number.
  const outlines = new Uint32Array(width * height);
  const disc = discOf(outlineWidthFor(width, height));
  for (const [index, { counts }] of objects.entries()) {
    await giveWay();
    const crop = cropMask(counts, height);
    tint(rgb, width, crop, colourOf(index));
    markOutline(outlines, width, crop, disc, index + 1);
  }
  for (let i = 0; i < outlines.length; i++) {
    if (outlines[i] !== 0) rgb.set(colourOf(outlines[i] - 1), i * 3);
  }
  return rgb;
}

function tint(rgb: Uint8Array, width: number, { box, data, stride }: MaskCrop, colour: Rgb): void {
  const [red, green, blue] = colour.map((value) => value * FILL + 128);
  for (let y = 0; y < box.height; y++) {
    let from = (y + 1) * stride + 1;
    let to = ((box.y + y) * width + box.x) * 3;
    for (let x = 0; x < box.width; x++, from++, to += 3) {
      if (data[from] === 0) continue;
      rgb[to] = (rgb[to] * (256 - FILL) + red) >> 8;
      rgb[to + 1] = (rgb[to + 1] * (256 - FILL) + green) >> 8;
      rgb[to + 2] = (rgb[to + 2] * (256 - FILL) + blue) >> 8;
    }
  }
}

/** Marks the pixels inside that are within the disc around one that has a neighbour outside. */
function markOutline(
  outlines: Uint32Array,
  width: number,
  { box, data, stride }: MaskCrop,
  disc: readonly (readonly [dx: number, dy: number])[],
  mark: number,
): void {
  for (let y = 1; y <= box.height; y++) {
    for (let x = 1; x <= box.width; x++) {
      const at = y * stride + x;
      if (data[at] === 0) continue;
      if (data[at - 1] & data[at + 1] & data[at - stride] & data[at + stride]) continue;
      for (const [dx, dy] of disc) {
        const inBox = x + dx >= 1 && x + dx <= box.width && y + dy >= 1 && y + dy <= box.height;
        if (!inBox || data[at + dy * stride + dx] === 0) continue;
        const to = (box.y + y + dy - 1) * width + box.x + x + dx - 1;
        if (outlines[to] === 0) outlines[to] = mark;
      }
    }
  }
}

/** The pixels nearer than `radius` to the one in the middle. */
function discOf(radius: number): [dx: number, dy: number][] {
  const disc: [number, number][] = [];
  for (let dy = 1 - radius; dy < radius; dy++) {
    for (let dx = 1 - radius; dx < radius; dx++) {
      if (dx * dx + dy * dy < radius * radius) disc.push([dx, dy]);
    }
  }
  return disc;
}

function outlineWidthFor(width: number, height: number): number {
  const side = Math.sqrt(width * height);
  return Math.max(side < 256 ? 1 : 2, Math.round(side / 500));
}

function textSizeFor(width: number, height: number): number {
  return Math.max(12, Math.round(Math.sqrt(width * height) / 64));
}

/** The picture as a PNG with SVG elements drawn over it. */
async function encodeWithLayer(
  rgb: Uint8Array,
  width: number,
  height: number,
  svg: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const picture = sharp(rgb, { raw: { width, height, channels: 3 } });
  if (svg !== '') {
    const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`;
    picture.composite([{ input: Buffer.from(`${open}${svg}</svg>`) }]).removeAlpha();
  }
  return new Uint8Array(await picture.png({ compressionLevel: 3 }).toBuffer());
}
