/** Vertices made of corners that agree in everything. */
export interface WeldedCorners {
  /** Uint32, one a corner. */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** Uint32, one a new vertex: the first corner that it was made of. */
  readonly source: Uint32Array<ArrayBuffer>;
}

/**
 * One vertex for each distinct combination of keys, numbered in order of first appearance: what
 * files that index positions and texture coordinates apart need before they can be drawn.
 *
 * @param keys Arrays of one value a corner; all of one length.
 */
export function weldCorners(keys: readonly Uint32Array[]): WeldedCorners {
  const corners = keys[0].length;
  const indices = new Uint32Array(corners);
  const source = new Uint32Array(corners);
  const mask = 2 ** Math.ceil(Math.log2(Math.max(2, corners * 2))) - 1;
  const slots = new Int32Array(mask + 1).fill(-1);
  // Not to be foreseen, so that nobody can make a file whose keys all collide.
  const [seed] = crypto.getRandomValues(new Uint32Array(1));
  let count = 0;
  for (let corner = 0; corner < corners; corner++) {
    let slot = hash(keys, corner, seed) & mask;
    while (slots[slot] >= 0 && !agree(keys, source[slots[slot]], corner)) slot = (slot + 1) & mask;
    if (slots[slot] < 0) {
      slots[slot] = count;
      source[count++] = corner;
    }
    indices[corner] = slots[slot];
  }
  return { indices, source: source.slice(0, count) };
}

/** MurmurHash3's mixing (Austin Appleby, public domain). */
function hash(keys: readonly Uint32Array[], corner: number, seed: number): number {
  let mixed = seed;
  for (const key of keys) {
    let word = Math.imul(key[corner], 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    mixed ^= word;
    mixed = Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64;
  }
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function agree(keys: readonly Uint32Array[], first: number, second: number): boolean {
  for (const key of keys) {
    if (key[first] !== key[second]) return false;
  }
  return true;
}

/** The rows of a [N, width] array that are named, in their order. */
export function takeRows<T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  values: T,
  width: number,
  rows: Uint32Array,
): T {
  const taken = (
    values instanceof Float32Array
      ? new Float32Array(rows.length * width)
      : new Uint8Array(rows.length * width)
  ) as T;
  for (let row = 0, to = 0; row < rows.length; row++) {
    const from = rows[row] * width;
    for (let column = 0; column < width; column++) taken[to++] = values[from + column];
  }
  return taken;
}
