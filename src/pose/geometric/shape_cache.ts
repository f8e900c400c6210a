import type { Mesh } from '../../media/mesh/mesh.ts';
import type { PoseObject } from '../method.ts';
import { aboutCenter } from '../symmetric_poses.ts';
import { type ShapeMesh, simplify } from './simplify.ts';

/** What the method knows of an object. */
export interface ObjectShape {
  readonly coarse: ShapeMesh;
  readonly fine: ShapeMesh;
  /** Metres. */
  readonly diameter: number;
  /** Of the mesh's box: the origin of both shapes. */
  readonly center: readonly number[];
  /** float32 [S, 4, 4], row-major, in the frame of the shapes; the identity is the first. */
  readonly symmetries: Float32Array;
}

/** Vertices closer than these shares of the diameter are merged. */
const CELLS = { coarse: 1 / 24, fine: 1 / 96 };

/** Shapes of the meshes that are still in use: a tracked object's is made once, not every frame. */
export class ShapeCache {
  private readonly shapes = new WeakMap<Mesh, Pick<ObjectShape, 'coarse' | 'fine'>>();

  of({ mesh, symmetries }: PoseObject): ObjectShape {
    const { diameter, center } = mesh;
    const known = this.shapes.get(mesh) ?? made(mesh);
    this.shapes.set(mesh, known);
    return { ...known, diameter, center, symmetries: aboutCenter(symmetries, center) };
  }
}

function made({ positions, indices, center, diameter }: Mesh) {
  const shapeOf = (cell: number) => simplify(positions, indices, center, cell * diameter);
  return { coarse: shapeOf(CELLS.coarse), fine: shapeOf(CELLS.fine) };
}
