import type { RgbImage } from '../image.ts';

/**
 * A triangle mesh, ready for a renderer.
 *
 * The frame is the file's own: axes aren't turned (a glTF's Y stays up), the origin isn't moved.
 * Lengths are metres: the file's numbers times `scale`. Only vertices that a face uses are kept.
 */
export interface Mesh {
  /** Float32, [V, 3], metres. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** Uint32, [F, 3], each below V; the winding is the file's. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** sRGB, uint8, [V, 3]. Null when the mesh has a texture, or no colours at all. */
  readonly colors: Uint8Array<ArrayBuffer> | null;
  /**
   * Float32, [V, 2]: u to the right and v down, (0, 0) the texture's upper left corner and (1, 1)
   * its lower right one, for every format. Outside [0, 1] the texture repeats. Null exactly when
   * `texture` is.
   */
  readonly uvs: Float32Array<ArrayBuffer> | null;
  /** sRGB. */
  readonly texture: RgbImage | null;
  /** Metres: the largest distance between two vertices. */
  readonly diameter: number;
  /** Metres: the middle of the axis-aligned bounding box. */
  readonly center: readonly [x: number, y: number, z: number];
  /** Metres: the sides of the axis-aligned bounding box. */
  readonly extents: readonly [x: number, y: number, z: number];
}

/** What is read, and how much of it. */
export interface MeshOptions {
  /** Largest number of triangles, checked before memory is taken for them. */
  readonly maxTriangles: number;
  /** Largest size of each file, in bytes. */
  readonly maxBytes: number;
  /** Largest number of pixels of all textures together. Default 2^25, two of 4096x4096. */
  readonly maxTexturePixels?: number;
  /** Metres per unit of the file, above 0. Default 1. */
  readonly scale?: number;
  /** The file's name. The content alone says what it is; the name only helps to say what is wrong. */
  readonly name?: string;
  /** The picture that a PLY's or OBJ's texture coordinates speak of. */
  readonly texture?: Uint8Array;
  /** The MTL file of an OBJ. */
  readonly material?: Uint8Array;
  /** The request's fields, for error messages. Defaults `mesh`, `texture`, `material`. */
  readonly field?: string;
  readonly textureField?: string;
  readonly materialField?: string;
}

/** {@link MeshOptions} with every default filled in. */
export type MeshLimits = Required<Omit<MeshOptions, 'name' | 'texture' | 'material'>> & {
  readonly texture: Uint8Array | null;
  readonly material: Uint8Array | null;
};

/** 8-bit sRGB. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** A part of a mesh that has one look, in the units of its file. */
export interface MeshPart {
  /** Float32, [V, 3]. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** Uint32, [F, 3], each below V. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** sRGB, uint8, [V, 3]. */
  readonly colors: Uint8Array<ArrayBuffer> | null;
  /** Float32, [V, 2], v down. Null exactly when `texture` is. */
  readonly uvs: Float32Array<ArrayBuffer> | null;
  readonly texture: RgbImage | null;
  /** What the material says where there are neither colours nor a texture. */
  readonly color: Rgb | null;
}
