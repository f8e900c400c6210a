import type { Accessor, Document, GLTF, Material, Primitive, Texture } from '@gltf-transform/core';
import { MediaError } from '../errors.ts';
import { decodeImage, type RgbImage } from '../image.ts';
import type { MeshLimits, MeshPart, Rgb } from './mesh.ts';
import { refuseMesh } from './refuse.ts';

type Look = Pick<MeshPart, 'colors' | 'uvs' | 'texture' | 'color'>;

interface TextureTransform {
  readonly offset?: readonly [number, number];
  readonly rotation?: number;
  readonly scale?: readonly [number, number];
  readonly texCoord?: number;
}

/**
 * What primitives look like: the base colour texture times the base colour, else the vertex colours
 * times the base colour, else the base colour where it isn't white. Vertex colours and factors are
 * linear in glTF 2.0 (3.7.2.1, 3.9.2) and become sRGB here.
 */
export class GltfMaterials {
  readonly #images = new Map<string, RgbImage>();
  readonly #numbers: ReadonlyMap<Material | Texture, number>;
  #pixelsLeft: number;

  constructor(
    document: Document,
    private readonly json: GLTF.IGLTF,
    private readonly limits: MeshLimits,
  ) {
    const root = document.getRoot();
    this.#numbers = new Map<Material | Texture, number>([
      ...root
        .listMaterials()
        .entries()
        .map(([index, one]) => [one, index] as const),
      ...root
        .listTextures()
        .entries()
        .map(([index, one]) => [one, index] as const),
    ]);
    this.#pixelsLeft = limits.maxTexturePixels;
  }

  /** @throws {MediaError} 422 for a picture that can't be decoded, or too many pixels. */
  async lookOf(primitive: Primitive): Promise<Look> {
    const material = primitive.getMaterial();
    const [red, green, blue] = material?.getBaseColorFactor() ?? [1, 1, 1];
    const factor = [red, green, blue] as const;
    const texture = material?.getBaseColorTexture();
    if (material && texture) {
      const uvs = this.#uvsOf(primitive, material);
      if (uvs) {
        const image = await this.#tinted(texture, factor);
        return { colors: null, uvs, texture: image, color: null };
      }
    }
    const accessor = primitive.getAttribute('COLOR_0');
    const colors = accessor && toColors(accessor, factor);
    const isWhite = factor.every((value) => value === 1);
    const color = colors || isWhite ? null : toRgb(factor);
    return { colors, uvs: null, texture: null, color };
  }

  #uvsOf(primitive: Primitive, material: Material): Float32Array<ArrayBuffer> | null {
    const transform = this.#transformOf(material);
    const set = transform?.texCoord ?? material.getBaseColorTextureInfo()?.getTexCoord() ?? 0;
    const accessor = primitive.getAttribute(`TEXCOORD_${set}`);
    if (!accessor) return null;
    const uvs = new Float32Array(accessor.getCount() * 2);
    const uv: number[] = [];
    const { offset = [0, 0], rotation = 0, scale = [1, 1] } = transform ?? {};
    const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)];
    for (let vertex = 0; vertex < accessor.getCount(); vertex++) {
      accessor.getElement(vertex, uv);
      // KHR_texture_transform: translation · rotation · scale.
      const [u, v] = [uv[0] * scale[0], uv[1] * scale[1]];
      uvs[vertex * 2] = cos * u + sin * v + offset[0];
      uvs[vertex * 2 + 1] = cos * v - sin * u + offset[1];
    }
    if (uvs.every(Number.isFinite)) return uvs;
    refuseMesh(this.limits.field, 'has texture coordinates that are NaN or infinite');
  }

  /** The parser drops extensions it wasn't given, so this comes from the JSON. */
  #transformOf(material: Material): TextureTransform | null {
    const definition = this.json.materials?.[this.#numbers.get(material) ?? -1];
    const extensions = definition?.pbrMetallicRoughness?.baseColorTexture?.extensions;
    return (extensions?.KHR_texture_transform as TextureTransform | undefined) ?? null;
  }

  async #tinted(texture: Texture, factor: Rgb): Promise<RgbImage> {
    const key = `${this.#numbers.get(texture)} ${factor}`;
    const known = this.#images.get(key);
    if (known) return known;
    const made = tint(await this.#decode(texture), factor);
    this.#images.set(key, made);
    return made;
  }

  async #decode(texture: Texture): Promise<RgbImage> {
    const { field, maxBytes } = this.limits;
    const bytes = texture.getImage() ?? new Uint8Array();
    const limits = { maxBytes, maxPixels: this.#pixelsLeft, field: `the texture in ${field}` };
    const image = await decodeImage(bytes, limits).catch((cause: unknown) => {
      throw cause instanceof MediaError ? new MediaError(422, cause.message, field) : cause;
    });
    this.#pixelsLeft -= image.width * image.height;
    return image;
  }
}

function toColors(accessor: Accessor, factor: Rgb): Uint8Array<ArrayBuffer> {
  const count = accessor.getCount();
  const colors = new Uint8Array(count * 3);
  const rgba: number[] = [];
  for (let vertex = 0; vertex < count; vertex++) {
    accessor.getElement(vertex, rgba);
    for (let channel = 0; channel < 3; channel++) {
      colors[vertex * 3 + channel] = toSrgb(rgba[channel] * factor[channel]);
    }
  }
  return colors;
}

function toRgb([red, green, blue]: Rgb): Rgb {
  return [toSrgb(red), toSrgb(green), toSrgb(blue)];
}

/** In place: the picture was decoded for this alone. */
function tint(image: RgbImage, factor: Rgb): RgbImage {
  if (factor.every((value) => value === 1)) return image;
  const tables = factor.map((value) =>
    Uint8Array.from({ length: 256 }, (_, byte) => toSrgb(toLinear(byte) * value)),
  );
  const { data } = image;
  for (let at = 0; at < data.length; at++) data[at] = tables[at % 3][data[at]];
  return image;
}

/** IEC 61966-2-1, from 0..1 (anything beyond is clipped) to a byte. */
function toSrgb(linear: number): number {
  const value = Math.min(Math.max(linear, 0), 1);
  const encoded = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
  return Math.round(encoded * 255);
}

/** IEC 61966-2-1, from a byte to 0..1. */
function toLinear(byte: number): number {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
