import type { Backend, DeviceChoice } from '../src/compute/backend.ts';
import { openBackend } from '../src/compute/open.ts';

/**
 * The backends that every kernel and pipeline is tested on: the CPU, WGSL through SwiftShader
 * (where its driver is carried: Linux x64), and a hardware GPU when there is one.
 */
const CHOICES: readonly DeviceChoice[] = ['cpu', 'software', 'webgpu'];

const opened = new Map<DeviceChoice, Promise<Backend | null>>();

/** One backend a process and device; null, after a loud line, where it does not exist. */
function open(choice: DeviceChoice): Promise<Backend | null> {
  const known = opened.get(choice);
  if (known) return known;
  const backend = openBackend(choice).catch((error: Error) => {
    console.warn(`SKIPPED on --device ${choice}: ${error.message}`);
    return null;
  });
  opened.set(choice, backend);
  return backend;
}

async function present(): Promise<[DeviceChoice, Backend][]> {
  const found: [DeviceChoice, Backend][] = [];
  for (const choice of CHOICES) {
    const backend = await open(choice);
    if (backend) found.push([choice, backend]);
  }
  return found;
}

/** For `describe.each`: the name and the backend of every device that is present. */
export const devices = await present();

/** The largest |a − b| over two arrays of equal length. */
export function maxAbsoluteError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`lengths differ: ${a.length}, ${b.length}`);
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const error = Math.abs(a[i] - b[i]);
    if (!(error <= worst)) worst = error; // NaN counts as worst
  }
  return worst;
}

/** A seeded generator of uniform numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
