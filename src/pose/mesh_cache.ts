import { LRUCache } from 'lru-cache';
import { loadMesh } from '../media/mesh/load.ts';
import type { Mesh } from '../media/mesh/mesh.ts';
import type { MeshFiles } from './task.ts';

/** Of an engine's meshes together, as they are in memory. */
const MAX_BYTES = 128 << 20;

/**
 * Meshes that were read lately. One that comes again is the same object, so that what methods make
 * of it can hang on it.
 */
export class MeshCache {
  private readonly meshes = new LRUCache<string, Mesh>({
    maxSize: MAX_BYTES,
    sizeCalculation: bytesOf,
  });

  /** @throws {MediaError} 422 naming the field, as {@link loadMesh} does. */
  async read(files: MeshFiles): Promise<Mesh> {
    const known = this.meshes.get(files.key);
    if (known) return known;
    const { mesh: bytes, texture, material, scale, prefix, maxBytes, maxTriangles } = files;
    const mesh = await loadMesh(bytes, {
      maxTriangles,
      maxBytes,
      scale,
      field: `${prefix}mesh`,
      textureField: `${prefix}texture`,
      materialField: `${prefix}material`,
      ...(texture && { texture }),
      ...(material && { material }),
    });
    this.meshes.set(files.key, mesh);
    return mesh;
  }
}

function bytesOf({ positions, indices, colors, uvs, texture }: Mesh): number {
  const arrays = [positions, indices, colors, uvs, texture?.data];
  return arrays.reduce((sum, array) => sum + (array?.byteLength ?? 0), 0);
}
