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

/**
 * Whether long tests are left out or shortened on a backend: on a software rasteriser, where they take
 * many minutes, unless TRIPTYCH_WHOLE_TESTS=1 asks for them.
 */
export function isShortened({ info }: Pick<Backend, 'info'>): boolean {
  return info.software && process.env.TRIPTYCH_WHOLE_TESTS !== '1';
}
