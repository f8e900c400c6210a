/** For the tests of video: pictures that carry their own number, drawn and read without a codec. */
import { fileURLToPath } from 'node:url';

type Rgb = readonly [number, number, number];

/** The coloured fields in the lower two thirds of a picture, from left to right. */
export const FIELDS: readonly Rgb[] = [
  [200, 40, 40],
  [40, 180, 60],
  [50, 60, 200],
  [220, 170, 130],
];

/** Blocks in the upper third, black or white: the picture's number, least significant bit first. */
const BITS = 8;

export interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The colour at a pixel of picture `index`. */
export function colourAt(index: number, x: number, y: number, width: number, height: number): Rgb {
  if (y < Math.floor(height / 3)) {
    const bit = Math.min(BITS - 1, Math.floor((x * BITS) / width));
    return (index >> bit) & 1 ? [235, 235, 235] : [20, 20, 20];
  }
  return FIELDS[Math.min(FIELDS.length - 1, Math.floor((x * FIELDS.length) / width))];
}

/** The number that a decoded picture carries. */
export function numberOf(picture: Picture): number {
  let number = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const x = Math.floor(((bit + 0.5) * picture.width) / BITS);
    const [red, green, blue] = pixel(picture, x, Math.floor(picture.height / 6));
    if (red + green + blue > 3 * 128) number |= 1 << bit;
  }
  return number;
}

/** The colours in the middle of the fields. */
export function fieldsOf(picture: Picture): Rgb[] {
  const y = Math.floor((picture.height * 2) / 3);
  return FIELDS.map((_, field) =>
    pixel(picture, Math.floor(((field + 0.5) * picture.width) / FIELDS.length), y),
  );
}

export function pixel({ data, width }: Picture, x: number, y: number): Rgb {
  const at = (y * width + x) * 3;
  return [data[at], data[at + 1], data[at + 2]];
}

/** A picture turned clockwise by a quarter, `times` times. */
export function turned(picture: Picture, times: number): Picture {
  if (times === 0) return picture;
  const { width, height } = picture;
  const data = new Uint8Array(picture.data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data.set(pixel(picture, x, y), (x * height + (height - 1 - y)) * 3);
    }
  }
  return turned({ data, width: height, height: width }, times - 1);
}

const FOLDER = new URL('../../test/fixtures/video/', import.meta.url);

export const videoFile = (name: string) => fileURLToPath(new URL(name, FOLDER));

export const videoBytes = async (name: string): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await Bun.file(videoFile(name)).arrayBuffer());

/** A change to a 32-bit field in the first box of a type in an MP4 file's `moov`. */
export interface BoxPatch {
  readonly box: string;
  /** From the box's own start. */
  readonly offset: number;
  readonly value: number;
}

/** A copy of an MP4 file with fields of its boxes changed. */
export function patchedBoxes(
  file: Uint8Array<ArrayBuffer>,
  patches: readonly BoxPatch[],
): Uint8Array<ArrayBuffer> {
  const copy = Buffer.from(file);
  // The brands at the head are spelled like boxes.
  const movie = copy.indexOf('moov', 0, 'latin1');
  for (const { box, offset, value } of patches) {
    const at = copy.indexOf(box, movie, 'latin1') - 4;
    if (at < 0) throw new RangeError(`the file has no ${box} box`);
    copy.writeUInt32BE(value, at + offset);
  }
  return new Uint8Array(copy);
}

/** Bytes changed at random places; the same ones for the same seed. */
export function damaged(
  file: Uint8Array<ArrayBuffer>,
  seed: number,
  places: number,
): Uint8Array<ArrayBuffer> {
  const copy = file.slice();
  let state = seed * 2654435761 + 1;
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let i = 0; i < places; i++) copy[random() % copy.length] = random() & 255;
  return copy;
}
