import type { PlyElement, PlyProperty, PlyType } from './ply_header.ts';
import type { PlyItems } from './ply_values.ts';
import { refuseMesh } from './refuse.ts';

const POSITION = [['x'], ['y'], ['z']];
/** Blender and MeshLab write s and t, others u and v, MeshLab also texture_u and texture_v. */
const TEXTURE = [
  ['s', 'u', 'texture_u'],
  ['t', 'v', 'texture_v'],
];
export const COLOR = [
  ['red', 'r', 'diffuse_red'],
  ['green', 'g', 'diffuse_green'],
  ['blue', 'b', 'diffuse_blue'],
];

/** Which of several wanted values each property is: its column, or -1. */
export function columnsOf(
  properties: readonly PlyProperty[],
  wanted: readonly (readonly string[])[],
): number[] | null {
  const found = wanted.map((names) =>
    properties.findIndex(({ name, lengthType }) => !lengthType && names.includes(name)),
  );
  return found.includes(-1) ? null : properties.map((_, index) => found.indexOf(index));
}

/** What a colour value is multiplied by to be in 0..255: whole types span it, floats are 0..1. */
export function colorScale(type: PlyType): number {
  if (type.startsWith('float')) return 255;
  return type === 'uint16' ? 255 / 65535 : 1;
}

export function toByte(value: number): number {
  return Math.min(Math.max(Math.round(value), 0), 255);
}

/** A column of a [V, width] array; `scale` makes bytes of colours, 0 leaves a value as it is. */
interface Target {
  readonly array: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly column: number;
  readonly scale: number;
}

/** Positions, colours and texture coordinates of a PLY file's vertices. */
export class PlyVertices implements PlyItems {
  /** Float32, [V, 3]. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** Uint8, [V, 3]. */
  readonly colors: Uint8Array<ArrayBuffer> | null;
  /** Float32, [V, 2], as in the file: v goes up. */
  readonly uvs: Float32Array<ArrayBuffer> | null;

  /** Where the value of each property goes. */
  private readonly targets: readonly (Target | null)[];
  private vertex = 0;

  constructor({ properties, count }: PlyElement, field: string) {
    const position = columnsOf(properties, POSITION);
    if (!position) refuseMesh(field, "is a PLY file whose vertices lack 'x', 'y' or 'z'");
    const color = columnsOf(properties, COLOR);
    const uv = columnsOf(properties, TEXTURE);
    this.positions = new Float32Array(count * 3);
    this.colors = color && new Uint8Array(count * 3);
    this.uvs = uv && new Float32Array(count * 2);
    this.targets = properties.map(({ type }, index): Target | null => {
      const to = (array: Target['array'] | null, columns: readonly number[] | null, scale = 0) =>
        array && columns && columns[index] >= 0
          ? { array, width: array === this.uvs ? 2 : 3, column: columns[index], scale }
          : null;
      const scale = colorScale(type);
      return to(this.positions, position) ?? to(this.colors, color, scale) ?? to(this.uvs, uv);
    });
  }

  value(property: number, value: number): void {
    const target = this.targets[property];
    if (!target) return;
    const { array, width, column, scale } = target;
    array[this.vertex * width + column] = scale === 0 ? value : toByte(value * scale);
  }

  list(): void {}

  endItem(): void {
    this.vertex++;
  }
}
