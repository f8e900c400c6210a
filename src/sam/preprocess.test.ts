/** Levels byte for byte those of torchvision, on every device. */
import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Rgb } from '../../kernels/image-to-tensor/kernel.ts';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError, seeded } from '../../test/numbers.ts';
import type { Backend } from '../compute/backend.ts';
import { decodeImage } from '../media/image.ts';
import { decodeNpy } from '../media/npy.ts';
import { prepareAntialiased } from './preprocess.ts';
import type { Size } from './types.ts';

interface Case extends Size {
  readonly side: number;
  readonly content: 'noise' | 'edges';
  readonly input_sha256: string;
  readonly sha256: string;
  /** Base64 of uint8 [side, side, 3]. */
  readonly levels?: string;
}

interface Manifest {
  readonly cases: readonly Case[];
  /** What other ways make of one of the cases. */
  readonly mistakes: { readonly case: number; readonly levels: Readonly<Record<string, string>> };
}

const FIXTURES = join(import.meta.dir, '../../test/fixtures');
const { cases, mistakes }: Manifest = await Bun.file(
  join(FIXTURES, 'resize-antialias/manifest.json'),
).json();

/** Levels come out as they are. */
const LEVELS = { mean: [0, 0, 0] as Rgb, std: [1 / 255, 1 / 255, 1 / 255] as Rgb };
/** SAM 3's. */
const HALVES = { mean: [0.5, 0.5, 0.5] as Rgb, std: [0.5, 0.5, 0.5] as Rgb };

const sha256 = (bytes: Uint8Array) => new Bun.CryptoHasher('sha256').update(bytes).digest('hex');
const fromBase64 = (text: string) => new Uint8Array(Buffer.from(text, 'base64'));

/** The picture of a case: `picture` of models/export/make_resize_antialias.py. */
function draw({ width, height, content }: Case): Uint8Array {
  const bytes = new Uint8Array(width * height * 3);
  for (let i = 0; i < bytes.length; i++) {
    let x = Math.imul(i, 0x9e3779b1);
    x = Math.imul(x ^ (x >>> 15), 0x85ebca77);
    const level = (x ^ (x >>> 13)) & 255;
    bytes[i] = content === 'noise' ? level : level < 128 ? 0 : 255;
  }
  return bytes;
}

/** float32 [3, side, side]. */
async function prepare(
  backend: Backend,
  image: Uint8Array,
  size: Size,
  side: number,
  statistics = LEVELS,
) {
  const pixels = backend.upload(image, [size.height, size.width, 3]);
  const tensor = prepareAntialiased(backend, pixels, size, side, statistics);
  expect(tensor.dims).toEqual([1, 3, side, side]);
  const values = await backend.download(tensor);
  backend.release(pixels, tensor);
  return values;
}

/** Planes → packed bytes; a value that is no level would not survive the comparison after. */
function packed(planes: Float32Array): Uint8Array {
  const plane = planes.length / 3;
  return Uint8Array.from({ length: planes.length }, (_, i) => {
    const value = planes[(i % 3) * plane + Math.floor(i / 3)];
    if (!Number.isInteger(value) || value < 0 || value > 255) throw new RangeError(`${value}`);
    return value;
  });
}

function noise(length: number, seed: number): Uint8Array {
  const random = seeded(seed);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

describe.each(devices)('prepareAntialiased on %s', (_, backend) => {
  test.each(
    cases.map((one) => [`${one.width}x${one.height} to ${one.side}, ${one.content}`, one] as const),
  )('torchvision’s levels: %s', async (_name, one) => {
    const image = draw(one);
    expect(sha256(image)).toBe(one.input_sha256);
    const levels = packed(await prepare(backend, image, one, one.side));
    if (one.levels) expect(levels).toEqual(fromBase64(one.levels));
    expect(sha256(levels)).toBe(one.sha256);
  });

  test.each(Object.entries(mistakes.levels))('control: %s is told apart', async (_name, text) => {
    const one = cases[mistakes.case];
    const levels = packed(await prepare(backend, draw(one), one, one.side));
    const wrong = fromBase64(text);
    expect(wrong.length).toBe(levels.length);
    expect(levels.filter((level, i) => level !== wrong[i]).length).toBeGreaterThan(500);
  });

  test('what transformers’ SAM 3 processor gives its model', async () => {
    const folder = join(FIXTURES, 'segment-parity');
    const limits = { maxBytes: 1 << 20, maxPixels: 1 << 20, field: 'image' };
    const { data, width, height } = await decodeImage(
      await Bun.file(join(folder, 'photo.png')).bytes(),
      limits,
    );
    const expected = decodeNpy(await Bun.file(join(folder, 'photo.pixels.npy')).bytes());
    expect(expected.shape).toEqual([3, 126, 126]);
    const levels = await prepare(backend, data, { width, height }, 126);
    expect(Uint8Array.from(levels)).toEqual(expected.data as Uint8Array<ArrayBuffer>);
    const values = await prepare(backend, data, { width, height }, 126, HALVES);
    const normalised = Array.from(expected.data, (level) => (level - 127.5) / 127.5);
    expect(maxAbsoluteError(values, normalised)).toBeLessThan(5e-7);
  });

  test('one colour stays that colour', async () => {
    for (const size of [
      { width: 300, height: 7 },
      { width: 1, height: 90 },
      { width: 61, height: 61 },
    ]) {
      for (const color of [
        [255, 0, 1],
        [127, 128, 254],
      ]) {
        const image = Uint8Array.from(
          { length: size.width * size.height * 3 },
          (_, i) => color[i % 3],
        );
        const planes = await prepare(backend, image, size, 40);
        expect(planes.every((level, i) => level === color[Math.floor(i / 1600)])).toBe(true);
      }
    }
  });

  test('a brighter picture is nowhere darker', async () => {
    const size = { width: 83, height: 47 };
    const dark = noise(83 * 47 * 3, 1);
    const extra = noise(dark.length, 2);
    const bright = dark.map((level, i) => Math.min(255, level + (extra[i] >> 2)));
    for (const side of [29, 120]) {
      const below = await prepare(backend, dark, size, side);
      const above = await prepare(backend, bright, size, side);
      expect(above.every((level, i) => level >= below[i])).toBe(true);
      expect(above.some((level, i) => level > below[i])).toBe(true);
    }
  });

  test('sizes that disagree are refused, and nothing stays on the device', async () => {
    const before = backend.memory().usedBytes;
    const pixels = backend.upload(new Uint8Array(4 * 5 * 3), [5, 4, 3]);
    const attempt = (size: Size, side: number) => () =>
      prepareAntialiased(backend, pixels, size, side, LEVELS);
    expect(attempt({ width: 4, height: 6 }, 8)).toThrow(
      'pixels of shape [5,4,3]; expected [6, 4, 3] for an image of 4×6',
    );
    expect(attempt({ width: 4, height: 5 }, 0)).toThrow('an axis of 4 resized to 0');
    expect(attempt({ width: 4, height: 5 }, 2.5)).toThrow('an axis of 4 resized to 2.5');
    backend.release(attempt({ width: 4, height: 5 }, 8)(), pixels);
    expect(backend.memory().usedBytes).toBe(before);
  });
});
