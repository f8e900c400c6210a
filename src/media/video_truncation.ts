import { readAt, topLevelBoxes } from './video_boxes.ts';

/** Boxes of an MP4 or QuickTime file that are taken at their word; what trails it is not. */
const ISO_BOXES = new Set(['ftyp', 'moov', 'sidx', 'moof', 'mdat', 'mfra']);
const EBML = 0x1a45dfa3;
const SEGMENT = 0x18538067;

/**
 * How many bytes a file lacks by its own account: of its top-level boxes (ISO/IEC 14496-12) or its
 * segment (RFC 8794, RFC 9559). 0 where it is whole or doesn't say, as a live recording.
 */
export async function missingBytes(fd: number, size: number): Promise<number> {
  const head = await readAt(fd, 0, 64);
  if (head.byteLength >= 4 && head.getUint32(0) === EBML) return missingFromSegment(head, size);
  return missingFromBoxes(fd, size);
}

async function missingFromBoxes(fd: number, size: number): Promise<number> {
  for await (const { type, at, length } of topLevelBoxes(fd, size)) {
    if (ISO_BOXES.has(type) && at + length > size) return at + length - size;
  }
  return 0;
}

function missingFromSegment(head: DataView, size: number): number {
  const header = vint(head, 4);
  if (!header) return 0;
  const at = header.end + header.value;
  if (at + 4 > head.byteLength || head.getUint32(at) !== SEGMENT) return 0;
  const segment = vint(head, at + 4);
  return segment ? Math.max(0, segment.end + segment.value - size) : 0;
}

/** A data size in EBML; null where it is unknown or cut off. */
function vint(view: DataView, at: number): { value: number; end: number } | null {
  if (at >= view.byteLength) return null;
  const first = view.getUint8(at);
  const length = Math.clz32(first) - 23;
  if (length > 8 || at + length > view.byteLength) return null;
  let value = first & (0xff >> length);
  let isUnknown = value === 0xff >> length;
  for (let byte = 1; byte < length; byte++) {
    const next = view.getUint8(at + byte);
    isUnknown &&= next === 0xff;
    value = value * 256 + next;
  }
  return isUnknown ? null : { value, end: at + length };
}
