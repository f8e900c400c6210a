/** For the tests of decodeImage: files that sharp can't or won't write. */

/** Random bytes from a seed (xorshift32), so that a failure can be repeated. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return new Uint8Array(length).map(() => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 24;
  });
}

/** Text to bytes, Latin-1. */
export const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

function pngChunk(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type), content]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(content.length, 0);
  frame.writeUInt32BE(Bun.hash.crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** An 8-bit grey PNG that announces any size, with right checksums, over whatever pixel data. */
export function pngOfSize(width: number, height: number, zlibData: Uint8Array): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const chunks = [pngChunk('IHDR', header), pngChunk('IDAT', zlibData)];
  const signature = latin1('\x89PNG\r\n\x1a\n');
  return new Uint8Array(Buffer.concat([signature, ...chunks, pngChunk('IEND', new Uint8Array())]));
}

/** A GIF that announces any size and holds no frame. */
export function gifOfSize(width: number, height: number): Uint8Array {
  const file = Buffer.from('GIF89a\0\0\0\0\0\0\0;', 'latin1');
  file.writeUInt16LE(width, 6);
  file.writeUInt16LE(height, 8);
  return new Uint8Array(file);
}

interface TiffLayout {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 RGB, 5 CMYK. */
  readonly photometric: number;
  readonly samples: number;
  readonly bits: number;
  /** 1 unsigned, 3 IEEE float. */
  readonly sampleFormat?: number;
}

/** An uncompressed TIFF 6.0 file of one strip, little-endian. */
export function tiff(layout: TiffLayout, pixels: Uint8Array): Uint8Array {
  const { width, height, photometric, samples, bits, sampleFormat = 1 } = layout;
  const [SHORT, LONG] = [3, 4];
  const entries = 10;
  const bitsAt = 8 + 2 + entries * 12 + 4;
  const pixelsAt = bitsAt + 8;
  const tags: [number, number, number, number][] = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    // Up to two values lie in the entry itself; all samples have the same width.
    [258, SHORT, samples, samples > 2 ? bitsAt : bits],
    [259, SHORT, 1, 1],
    [262, SHORT, 1, photometric],
    [273, LONG, 1, pixelsAt],
    [277, SHORT, 1, samples],
    [278, LONG, 1, height],
    [279, LONG, 1, pixels.length],
    [339, SHORT, 1, sampleFormat],
  ];
  const file = Buffer.alloc(pixelsAt + pixels.length);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(entries, 8);
  for (const [i, [tag, type, count, value]] of tags.entries()) {
    const at = 10 + i * 12;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(count, at + 4);
    file.writeUInt32LE(value, at + 8);
  }
  for (let i = 0; i < 4; i++) file.writeUInt16LE(bits, bitsAt + i * 2);
  file.set(pixels, pixelsAt);
  return new Uint8Array(file);
}
