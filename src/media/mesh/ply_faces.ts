import { growingFloats, growingUints } from './growing.ts';
import type { MeshLimits } from './mesh.ts';
import type { PlyElement } from './ply_header.ts';
import type { PlyItems } from './ply_values.ts';
import { COLOR, colorScale, columnsOf, toByte } from './ply_vertices.ts';
import { checkTriangles, refuseMesh } from './refuse.ts';

const INDICES = ['vertex_indices', 'vertex_index'];
const TEXTURE = ['texcoord', 'texture_coordinates'];

/** In no mesh: refused with all indices that are out of range. */
const NO_VERTEX = 0xffffffff;

/** Triangles of a PLY file's faces, and what they say about texture and colour. */
export class PlyFaces implements PlyItems {
  /** The distinct values of `texnumber`, at most two. */
  readonly textures = new Set<number>();
  /** Whether faces have texture coordinates. */
  readonly hasUvs: boolean;

  private readonly corners;
  private readonly cornerUvs = growingFloats();
  private readonly cornerColors = growingUints();
  private readonly indicesAt: number;
  private readonly uvsAt: number;
  private readonly textureAt: number;
  private readonly color: readonly number[] | null;
  private readonly scales: readonly number[];
  private polygon: readonly number[] = [];
  private uvs: readonly number[] = [];
  private rgb = [0, 0, 0];
  private face = 0;

  constructor(
    { properties, count }: PlyElement,
    private readonly limits: MeshLimits,
  ) {
    const at = (names: readonly string[], isList: boolean) =>
      properties.findIndex(
        (one) => names.includes(one.name) && (one.lengthType !== null) === isList,
      );
    this.indicesAt = at(INDICES, true);
    if (this.indicesAt < 0) {
      refuseMesh(limits.field, "is a PLY file whose faces lack the list 'vertex_indices'");
    }
    this.uvsAt = at(TEXTURE, true);
    this.hasUvs = this.uvsAt >= 0;
    this.textureAt = at(['texnumber'], false);
    this.color = columnsOf(properties, COLOR);
    this.scales = properties.map(({ type }) => colorScale(type));
    this.corners = growingUints(count * 3);
  }

  value(property: number, value: number): void {
    if (property === this.textureAt && this.textures.size < 2) this.textures.add(value);
    const channel = this.color?.[property] ?? -1;
    if (channel >= 0) this.rgb[channel] = toByte(value * this.scales[property]);
  }

  list(property: number, values: readonly number[]): void {
    if (property === this.indicesAt) this.polygon = values;
    else if (property === this.uvsAt) this.uvs = values;
  }

  endItem(): void {
    const { polygon, corners, limits } = this;
    if (this.hasUvs && this.uvs.length !== polygon.length * 2) this.refuseUvs();
    for (let last = 2; last < polygon.length; last++) {
      this.corner(0);
      this.corner(last - 1);
      this.corner(last);
    }
    checkTriangles(corners.length / 3, limits);
    this.face++;
  }

  /** Uint32, [F, 3]. */
  finish(): Uint32Array<ArrayBuffer> {
    return this.corners.finish();
  }

  /** Float32, [F, 3, 2], v up; null when faces have none. */
  cornerTexture(): Float32Array<ArrayBuffer> | null {
    return this.hasUvs ? this.cornerUvs.finish() : null;
  }

  /** 0xRRGGBB, [F, 3]; null when faces have no colours. */
  colors(): Uint32Array<ArrayBuffer> | null {
    return this.color && this.cornerColors.finish();
  }

  private corner(index: number): void {
    const vertex = this.polygon[index];
    // Negative, broken and huge numbers would wrap round into the range.
    const isIndex = Number.isInteger(vertex) && vertex >= 0 && vertex < NO_VERTEX;
    this.corners.push(isIndex ? vertex : NO_VERTEX);
    if (this.hasUvs) {
      this.cornerUvs.push(this.uvs[index * 2]);
      this.cornerUvs.push(this.uvs[index * 2 + 1]);
    }
    if (this.color) {
      const [red, green, blue] = this.rgb;
      this.cornerColors.push((red << 16) | (green << 8) | blue);
    }
  }

  private refuseUvs(): never {
    const given = `face ${this.face} with ${this.polygon.length} corners`;
    const expected = `${this.polygon.length * 2} were expected`;
    refuseMesh(
      this.limits.field,
      `has ${given} and ${this.uvs.length} texture coordinates; ${expected}`,
    );
  }
}
