import { type Growing, growingUints } from './growing.ts';
import type { Rgb } from './mesh.ts';
import type { MtlMaterial } from './read_mtl.ts';

/** The corners of all triangles that look alike: three after each other are a triangle. */
export interface ObjCorners {
  /** Indices of positions. */
  readonly vertices: Growing<Uint32Array<ArrayBuffer>>;
  /** Indices of texture coordinates, in step; null for triangles without the texture. */
  readonly uvs: Growing<Uint32Array<ArrayBuffer>> | null;
  readonly color: Rgb | null;
}

/**
 * Sorts triangles by what they look like, so that vertices are split only where the look changes:
 * with the texture, or in a colour.
 */
export class ObjLooks {
  readonly #corners = new Map<string, ObjCorners>();
  /** Whether the material of the following faces shows the texture. */
  #textured: boolean;
  #color: Rgb | null = null;
  /** No MTL, or one that says nothing of pictures: then the texture is for all. */
  readonly #allTextured: boolean;

  constructor(
    private readonly materials: ReadonlyMap<string, MtlMaterial> | null,
    private readonly hasTexture: boolean,
  ) {
    const named = [...(materials?.values() ?? [])].some(({ texture }) => texture !== null);
    this.#allTextured = hasTexture && !named;
    this.#textured = this.#allTextured;
  }

  /** The material of the following faces; a name that the MTL lacks has no colour. */
  use(name: string): void {
    const material = this.materials?.get(name) ?? null;
    this.#textured = this.#allTextured || (this.hasTexture && Boolean(material?.texture));
    this.#color = material?.color ?? null;
  }

  /** @param hasUvs Whether every corner of the face has texture coordinates. */
  cornersFor(hasUvs: boolean): ObjCorners {
    const textured = this.#textured && hasUvs;
    const key = textured ? 'texture' : String(this.#color);
    const known = this.#corners.get(key);
    if (known) return known;
    const uvs = textured ? growingUints() : null;
    const made = { vertices: growingUints(), uvs, color: textured ? null : this.#color };
    this.#corners.set(key, made);
    return made;
  }

  used(): ObjCorners[] {
    return [...this.#corners.values()];
  }
}
