import { statfs } from 'node:fs/promises';
import { ModelError } from './errors.ts';

/** Kept free beyond what is written, so that a download never fills the disk to the last byte. */
const MARGIN_BYTES = 64 << 20;

/** Bytes that an ordinary user may still write in a folder. */
async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** @throws ModelError `disk-full` unless `bytes` and a margin fit in the folder. */
export async function requireSpace(
  directory: string,
  bytes: number,
  free: (directory: string) => Promise<number> = freeBytes,
): Promise<void> {
  const available = await free(directory);
  if (available >= bytes + MARGIN_BYTES) return;
  throw new ModelError(
    'disk-full',
    `${directory} has ${megabytes(available)} free, ${megabytes(bytes + MARGIN_BYTES)} are needed; ` +
      'free some space, or set TRIPTYCH_HOME to a folder on another disk',
  );
}

/** "1.3 GB", "27.4 MB", "812 kB", "5 B": powers of 1000, as hosts list files. */
export function megabytes(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(bytes >= size * 100 ? 0 : 1)} ${unit}`;
  }
  return `${bytes} B`;
}
