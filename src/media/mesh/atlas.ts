import type { RgbImage } from '../image.ts';
import type { MeshLimits, MeshPart, Rgb } from './mesh.ts';
import { refuseMesh } from './refuse.ts';

const GREY: Rgb = [128, 128, 128];

/** A picture within the joint one. */
interface Place {
  readonly image: RgbImage;
  readonly top: number;
}

/**
 * One texture for all parts: the one that they share, else all pictures below each other, with a
 * pixel for each part that has none.
 *
 * In a joint picture nothing repeats: coordinates of a part that goes beyond its picture are taken
 * modulo 1, which is wrong only within triangles across a border; and they end half a pixel inside,
 * so that no neighbour shows.
 *
 * @throws {MediaError} 422 when the joint picture is too large.
 */
export function joinTextures(
  parts: readonly MeshPart[],
  limits: MeshLimits,
): { uvs: Float32Array<ArrayBuffer>; texture: RgbImage } {
  const pixels = new Map<string, RgbImage>();
  const images = parts.map((part) => part.texture ?? pixelOf(part, pixels));
  const length = parts.reduce((sum, { positions }) => sum + positions.length / 3, 0);
  const uvs = new Float32Array(length * 2);
  const isShared = images.every((image) => image === images[0]);
  const places = isShared ? null : stack(new Set(images), limits);
  const texture = places ? paint(places) : images[0];
  let at = 0;
  parts.forEach((part, index) => {
    const own = part.uvs ?? new Float32Array((part.positions.length / 3) * 2).fill(0.5);
    uvs.set(own, at);
    const place = places?.get(images[index]);
    if (place) move(uvs.subarray(at, at + own.length), place, texture);
    at += own.length;
  });
  return { uvs, texture };
}

function stack(images: ReadonlySet<RgbImage>, limits: MeshLimits): ReadonlyMap<RgbImage, Place> {
  const places = new Map<RgbImage, Place>();
  let top = 0;
  let width = 0;
  for (const image of images) {
    places.set(image, { image, top });
    top += image.height;
    width = Math.max(width, image.width);
  }
  if (width * top <= limits.maxTexturePixels) return places;
  const given = `has textures that fill ${width}x${top} pixels below each other`;
  const advice = 'Shrink them or bake them into one';
  refuseMesh(limits.field, `${given}; at most ${limits.maxTexturePixels} are taken. ${advice}`);
}

function paint(places: ReadonlyMap<RgbImage, Place>): RgbImage {
  const all = [...places.values()];
  const width = Math.max(...all.map(({ image }) => image.width));
  const height = all.reduce((sum, { image }) => sum + image.height, 0);
  const data = new Uint8Array(width * height * 3);
  for (const { image, top } of all) {
    for (let row = 0; row < image.height; row++) {
      const line = image.data.subarray(row * image.width * 3, (row + 1) * image.width * 3);
      data.set(line, (top + row) * width * 3);
    }
  }
  return { data, width, height };
}

/** Coordinates of a picture to those of the joint one, in place. */
function move(uvs: Float32Array, { image, top }: Place, joint: RgbImage): void {
  const isInside = uvs.every((value) => value >= 0 && value <= 1);
  for (let at = 0; at < uvs.length; at += 2) {
    const u = isInside ? uvs[at] : uvs[at] - Math.floor(uvs[at]);
    const v = isInside ? uvs[at + 1] : uvs[at + 1] - Math.floor(uvs[at + 1]);
    uvs[at] = inset(u * image.width, image.width) / joint.width;
    uvs[at + 1] = (top + inset(v * image.height, image.height)) / joint.height;
  }
}

function inset(pixel: number, size: number): number {
  return Math.min(Math.max(pixel, 0.5), size - 0.5);
}

/** One for each colour, out of `pixels`. */
function pixelOf(part: MeshPart, pixels: Map<string, RgbImage>): RgbImage {
  const rgb = part.colors ? meanOf(part.colors) : (part.color ?? GREY);
  const known = pixels.get(String(rgb));
  if (known) return known;
  const pixel = { data: Uint8Array.from(rgb), width: 1, height: 1 };
  pixels.set(String(rgb), pixel);
  return pixel;
}

function meanOf(colors: Uint8Array): Rgb {
  const sums = [0, 0, 0];
  for (let at = 0; at < colors.length; at++) sums[at % 3] += colors[at];
  const [red, green, blue] = sums.map((sum) => Math.round((sum * 3) / colors.length));
  return [red, green, blue];
}
