import type { Rgb } from './mesh.ts';
import { quote, refuseMesh } from './refuse.ts';

const MAX_MATERIALS = 1024;

/** A material of an MTL file, as far as colour goes. */
export interface MtlMaterial {
  /** Kd, taken as sRGB, as modelling programs write it. */
  color: Rgb | null;
  /** The file name after map_Kd. */
  texture: string | null;
}

/**
 * The materials of an MTL file by their names, as Latin-1.
 *
 * @throws {MediaError} 422 when it has no materials, or more than 1024, or its materials name
 *   several pictures: one is sent with an OBJ.
 */
export function readMtl(bytes: Uint8Array, field: string): ReadonlyMap<string, MtlMaterial> {
  const materials = new Map<string, MtlMaterial>();
  let current: MtlMaterial | null = null;
  for (const line of new TextDecoder('latin1').decode(bytes).split(/[\r\n]+/)) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'newmtl') {
      current = { color: null, texture: null };
      materials.set(words.join(' '), current);
      if (materials.size > MAX_MATERIALS) {
        refuseMesh(field, `has more than ${MAX_MATERIALS} materials. Merge some, or send a GLB`);
      }
    } else if (keyword === 'Kd' && current) {
      current.color = toRgb(words, field);
    } else if (keyword === 'map_Kd' && current) {
      // Options such as '-s 1 1 1' come first.
      current.texture = words.at(-1) ?? null;
    }
  }
  if (materials.size === 0) refuseMesh(field, "has no 'newmtl' line; expected an MTL file");
  checkTextures(materials, field);
  return materials;
}

function toRgb(words: readonly string[], field: string): Rgb | null {
  // 'Kd spectral' and 'Kd xyz' are allowed and never used.
  const channels = words.slice(0, 3).map(Number);
  if (channels.length === 3 && channels.every((value) => value >= 0 && value <= 1)) {
    const [red, green, blue] = channels.map((value) => Math.round(value * 255));
    return [red, green, blue];
  }
  refuseMesh(field, `has ${quote(`Kd ${words.join(' ')}`)}; expected three numbers from 0 to 1`);
}

function checkTextures(materials: ReadonlyMap<string, MtlMaterial>, field: string): void {
  const names = new Set<string>();
  for (const { texture } of materials.values()) if (texture) names.add(texture);
  if (names.size <= 1) return;
  const given = [...names].slice(0, 2).map(quote).join(' and ');
  refuseMesh(field, `names ${names.size} pictures, ${given}; one can be sent. Send a GLB`);
}
