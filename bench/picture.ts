import { join } from 'node:path';

/** The project's own picture, 640×480, as the JPEG file that a client would send. */
export function requestPicture(): Promise<Uint8Array<ArrayBuffer>> {
  return Bun.file(join(import.meta.dir, '../models/embedded/demo.jpg')).bytes();
}

export const PICTURE = { width: 640, height: 480 } as const;

/** A camera for it: one of about 60 degrees across. */
export const INTRINSICS = { fx: 525, fy: 525, cx: 319.5, cy: 239.5 } as const;

/** A depth map of its size in metres: a floor that recedes, boxes on it, and a sensor's noise. */
export function drawDepth({ width, height } = PICTURE): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const floor = 1 + 6 * (1 - y / height);
    const box = (x >> 6) % 3 === 0 && (y >> 6) % 2 === 0 ? 0.8 : 1;
    return floor * box + 0.002 * (Math.imul(i, 2654435761) >>> 28);
  });
}
