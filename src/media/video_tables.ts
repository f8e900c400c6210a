import { MediaError } from './errors.ts';
import { readAt, topLevelBoxes } from './video_boxes.ts';

/** A frame takes a few bytes of tables; an hour at 60 frames a second about 4 MB. */
const MAX_TABLE_BYTES = 64 << 20;
/** Samples of all tracks in one movie fragment; uncompressed sound has the most. */
const MAX_FRAGMENT_SAMPLES = 1_000_000;

/** Boxes of encrypted samples (ISO/IEC 23001-7), whose counts are unrolled as well. */
const ENCRYPTED = ['encv', 'saiz', 'senc'];

/**
 * Refuses sample tables that claim more than they spell out: a run of 4 billion frames is 8 bytes
 * long, and the parser unrolls it, which holds up the whole server until memory ends. Counts are
 * looked for by their boxes' names, wherever these stand in a table, so that nothing hides in a
 * nesting that this reads otherwise than the parser.
 *
 * @throws {MediaError} 422
 */
export async function refuseTableBombs(
  fd: number,
  size: number,
  maxFrames: number,
  field: string,
): Promise<void> {
  for await (const { type, at, length } of topLevelBoxes(fd, size)) {
    if (type !== 'moov' && type !== 'moof') continue;
    if (length > MAX_TABLE_BYTES) {
      const given = `${field} has tables of ${length} bytes; at most ${MAX_TABLE_BYTES} are read`;
      throw new MediaError(422, `${given}.`, field);
    }
    const { buffer, byteLength } = await readAt(fd, at, length);
    const table = Buffer.from(buffer, 0, byteLength);
    if (ENCRYPTED.some((name) => table.includes(name, 0, 'latin1'))) {
      throw new MediaError(422, `${field} is encrypted; expected a video without DRM.`, field);
    }
    const isBomb =
      type === 'moov'
        ? mostFrames(table) > maxFrames
        : fragmentSamples(table) > Math.max(maxFrames, MAX_FRAGMENT_SAMPLES);
    if (!isBomb) continue;
    throw new MediaError(422, `${field} has more than ${maxFrames} frames, the most taken.`, field);
  }
}

/**
 * Boxes whose runs are unrolled: the bytes of an entry, and where in it the count stands
 * (ISO/IEC 14496-12, 8.6.1.2, 8.6.1.3 and 8.7.4).
 */
const RUNS = [
  { box: 'stts', entry: 8, count: 0 },
  { box: 'ctts', entry: 8, count: 0 },
  { box: 'stsc', entry: 12, count: 4 },
] as const;

/** The most frames that a run of a video track's tables, or all runs of a box, claim. */
function mostFrames(moov: Buffer): number {
  const starts = [...occurrences(moov, 'trak', 0, moov.length)];
  let most = 0;
  for (const [i, start] of starts.entries()) {
    const end = starts[i + 1] ?? moov.length;
    if (occurrences(moov, 'vide', start, end).next().done) continue;
    for (const runs of RUNS) {
      for (const at of occurrences(moov, runs.box, start, end)) {
        most = Math.max(most, framesOf(moov, at, runs));
      }
    }
  }
  return most;
}

/** Like the parser, this trusts the number of entries, be it past the end of their box. */
function framesOf(moov: Buffer, at: number, { box, entry, count }: (typeof RUNS)[number]): number {
  const entries = uint32(moov, at + 8);
  let sum = 0;
  let most = 0;
  for (let i = 0; i < entries && at + 12 + (i + 1) * entry <= moov.length; i++) {
    const frames = uint32(moov, at + 12 + i * entry + count);
    sum += frames;
    most = Math.max(most, frames);
  }
  // A chunk's length holds for many chunks or few; only a single one is unrolled at a time.
  return box === 'stsc' ? most : sum;
}

/** Samples of all runs in a movie fragment (8.8.8). */
function fragmentSamples(moof: Buffer): number {
  let samples = 0;
  for (const at of occurrences(moof, 'trun', 0, moof.length)) samples += uint32(moof, at + 8);
  return samples;
}

function* occurrences(bytes: Buffer, name: string, from: number, to: number): Generator<number> {
  const find = (start: number) => bytes.indexOf(name, start, 'latin1');
  for (let at = find(from); at >= 0 && at < to; at = find(at + 1)) yield at;
}

const uint32 = (bytes: Buffer, at: number) => (at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0);
