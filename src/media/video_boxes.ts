import { read } from 'node:fs';
import { promisify } from 'node:util';

/** A box at the top level of an MP4 or QuickTime file. */
export interface Box {
  readonly type: string;
  readonly at: number;
  /** As it says, with its head; it may reach past the end of the file. */
  readonly length: number;
}

/** A file with more boxes than this is not followed further. */
const MAX_BOXES = 100_000;

/** The boxes one after the other (ISO/IEC 14496-12, 4.2), as far as they make sense. */
export async function* topLevelBoxes(
  fd: number,
  size: number,
): AsyncGenerator<Box, void, undefined> {
  let at = 0;
  for (let boxes = 0; at + 8 <= size && boxes < MAX_BOXES; boxes++) {
    const head = await readAt(fd, at, 16);
    if (head.byteLength < 8) return;
    const type = String.fromCharCode(...[4, 5, 6, 7].map((byte) => head.getUint8(byte)));
    const length = lengthOf(head, size - at);
    // Less than a head is no box.
    if (length < 8) return;
    yield { type, at, length };
    at += length;
  }
}

function lengthOf(head: DataView, rest: number): number {
  const short = head.getUint32(0);
  if (short === 0) return rest;
  return short === 1 && head.byteLength === 16 ? Number(head.getBigUint64(8)) : short;
}

/** The bytes at a place, fewer at the end of the file. */
export async function readAt(fd: number, at: number, length: number): Promise<DataView> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await promisify(read)(fd, bytes, 0, length, at);
  return new DataView(bytes.buffer, 0, bytesRead);
}
