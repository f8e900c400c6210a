import sharp from 'sharp';
import { drawAxes } from './axes.ts';
import type { PictureCamera } from './cloud_picture.ts';
import { drawLabels, type Label } from './labels.ts';
import type { Mesh } from './mesh/mesh.ts';
import { silhouetteBorders } from './mesh_silhouette.ts';
import { colourOf, type Rgb } from './palette.ts';
import type { PixelBox } from './rle.ts';

/** An object to draw where it was found. */
export interface PosedMesh {
  readonly mesh: Pick<Mesh, 'positions' | 'indices' | 'center' | 'diameter'>;
  /** [4, 4], row-major: the mesh's own coordinates → camera (x right, y down, z ahead), metres. */
  readonly pose: ArrayLike<number>;
  /** Any text, a stranger's too. */
  readonly label: string;
  /** Written after the label with two decimals, where it is finite. */
  readonly score: number;
}

/** A picture, the camera that took it, and what was found. */
interface PosePicture {
  /** Packed RGB, uint8, row by row, `width * height * 3` bytes. It is left as it is. */
  readonly pixels: Uint8Array;
  readonly camera: PictureCamera;
  /** The last ones are drawn over the first. */
  readonly objects: readonly PosedMesh[];
}

/** Small pictures are enlarged towards this width or height, by a whole number. */
const AIM = 1280;
const MOST_SCALE = 3;
/** Steps of the outline for a pixel of the drawing: none is seen. */
const STEPS = 4;
/** Of the axes, in diameters of the object. */
const AXIS_LENGTH = 0.5;

/** How many times wider and higher the drawing of a picture is. */
export function poseScale({ width, height }: { readonly width: number; readonly height: number }) {
  return Math.max(1, Math.min(MOST_SCALE, Math.round(AIM / Math.max(width, height))));
}

/**
 * The picture with each mesh's outline at its pose, as if nothing were before it, its axes (x red,
 * y green, z blue) from the middle of its bounding box and half its diameter long, and a plate with its
 * label. An RGB PNG, up to three times as large as a small picture ({@link poseScale}).
 *
 * @throws {RangeError} When the pixels don't fill the picture.
 */
export async function drawPoses(picture: PosePicture): Promise<Uint8Array<ArrayBuffer>> {
  const { pixels, camera, objects } = picture;
  const { width, height } = camera;
  if (pixels.length !== width * height * 3) {
    throw new RangeError(`${pixels.length} bytes are not the RGB pixels of ${width}x${height}`);
  }
  const scale = poseScale(camera);
  const size = { width: width * scale, height: height * scale };
  const side = Math.sqrt(size.width * size.height);
  const lineWidth = Math.max(1.5, side / 340);
  const textSize = Math.max(12, Math.round(side / 44));
  const labels: Label[] = [];
  const taken: PixelBox[] = [];
  let svg = '';
  for (const [index, { mesh, pose, label, score }] of objects.entries()) {
    const colour = colourOf(index);
    const borders = silhouetteBorders(mesh, pose, camera, scale * STEPS).map((border) =>
      border.map((value) => value * scale),
    );
    if (borders.length > 0) {
      svg += outline(borders, colour, lineWidth);
      labels.push({ text: label, score, colour, box: boxOf(borders) });
    }
    const style = { scale, lineWidth: 1.3 * lineWidth, textSize };
    const axes = await drawAxes(pose, mesh.center, AXIS_LENGTH * mesh.diameter, camera, style);
    svg += axes.svg;
    taken.push(...axes.boxes);
  }
  svg += await drawLabels(labels, size, textSize, taken);
  return encode(pixels, camera, size, svg);
}

function outline(borders: readonly number[][], colour: Rgb, lineWidth: number): string {
  const d = borders.map(pathOf).join('');
  const line = 'fill="none" stroke-linejoin="round"';
  return [
    `<path ${line} stroke="rgb(20,20,24)" stroke-opacity="0.6" stroke-width="${2 * lineWidth}" d="${d}"/>`,
    `<path ${line} stroke="rgb(${colour})" stroke-width="${lineWidth}" d="${d}"/>`,
  ].join('');
}

function pathOf(border: readonly number[]): string {
  const points: string[] = [];
  for (let i = 0; i < border.length; i += 2) {
    points.push(`${border[i].toFixed(2)} ${border[i + 1].toFixed(2)}`);
  }
  return `M${points.join('L')}Z`;
}

function boxOf(borders: readonly number[][]): PixelBox {
  let [left, top] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let [right, bottom] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const border of borders) {
    for (let i = 0; i < border.length; i += 2) {
      left = Math.min(left, border[i]);
      right = Math.max(right, border[i]);
      top = Math.min(top, border[i + 1]);
      bottom = Math.max(bottom, border[i + 1]);
    }
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

async function encode(
  pixels: Uint8Array,
  { width, height }: PictureCamera,
  size: { readonly width: number; readonly height: number },
  svg: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const raw = { width, height, channels: 3 } as const;
  const picture = sharp(pixels, { raw }).resize({ ...size, kernel: 'lanczos3' });
  if (svg !== '') {
    const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">`;
    picture.composite([{ input: Buffer.from(`${open}${svg}</svg>`) }]).removeAlpha();
  }
  return new Uint8Array(await picture.png({ compressionLevel: 3 }).toBuffer());
}
