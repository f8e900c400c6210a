/**
 * Logits to COCO runs, byte for byte as torch.nn.functional.interpolate and pycocotools give them
 * (test/fixtures/mask-rle), on every device.
 */
import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { devices } from '../../test/devices.ts';
import { seeded } from '../../test/numbers.ts';
import type { Backend } from '../compute/backend.ts';
import { withTensors } from '../compute/scope.ts';
import type { Tensor } from '../compute/tensor.ts';
import { decodeNpy } from '../media/npy.ts';
import { areaOf, boxOf, countsToString } from '../media/rle.ts';
import { type LogitCase, manifest, readLogits, sha256 } from '../media/rle_fixture.ts';
import { type EncodedMask, type EncodeOptions, encodeMasks } from './mask_rle.ts';

// A software rasteriser on a busy machine takes seconds for 4096×4096.
setDefaultTimeout(120_000);

/** Uploads logits, encodes them at a size, and leaves nothing behind. */
function encode(
  backend: Backend,
  logits: Float32Array,
  dims: readonly number[],
  image: { readonly width: number; readonly height: number },
  options?: EncodeOptions,
): Promise<EncodedMask[]> {
  return withTensors(backend, (keep) => {
    const tensor = keep(backend.upload(logits, dims)) as Tensor<'float32'>;
    return encodeMasks(backend, tensor, image, options);
  });
}

/** As the fixture writes it. */
function describeMask({ counts, area, box }: EncodedMask) {
  return { counts: countsToString(counts), area, box: Object.values(box) };
}

function byName(name: string): LogitCase {
  const found = manifest.logits.find((one) => one.name === name);
  if (!found) throw new Error(`the fixture lacks ${name}`);
  return found;
}

const real = join(import.meta.dir, '../../../shared/data/segment/sam2/low_res_logits.npy');
const hasReal = existsSync(real);
if (!hasReal) console.warn(`SKIPPED: SAM 2's logits are absent (${real})`);

describe.each(devices)('logits to runs on %s', (_, backend) => {
  test.each(manifest.logits.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const masks = await encode(backend, readLogits(one), one.shape, one);
    expect(masks.map(describeMask)).toEqual(one.masks as never);
  });

  test('some maps, in the order asked for, from a tensor of more axes', async () => {
    const one = byName('smooth, up');
    const [, height, width] = one.shape;
    const selected = [2, 0, 2];
    const dims = [1, 3, 1, height, width];
    const masks = await encode(backend, readLogits(one), dims, one, { selected });
    expect(masks.map(describeMask)).toEqual(selected.map((map) => one.masks[map]) as never);
    expect(await encode(backend, readLogits(one), dims, one, { selected: [] })).toEqual([]);
  });

  test('control: another map, another size and another threshold give other runs', async () => {
    const one = byName('smooth, up');
    const first = async (logits: LogitCase, options?: EncodeOptions) =>
      describeMask((await encode(backend, readLogits(logits), logits.shape, logits, options))[0]);
    const expected = one.masks[0];
    expect((await first(one, { selected: [1] })).counts).not.toBe(expected.counts);
    expect((await first(one, { threshold: 0.01 })).counts).not.toBe(expected.counts);
    expect((await first({ ...one, width: one.width + 1 })).counts).not.toBe(expected.counts);
  });

  test('more masks than may be held at a time come back whole and in order', async () => {
    const random = seeded(9);
    const logits = Float32Array.from({ length: 9 * 80 }, () => random() * 2 - 1);
    const image = { width: 70, height: 50 };
    const together = await encode(backend, logits, [9, 8, 10], image);
    // One mask is 560 bytes.
    for (const maxPackedBytes of [1, 4 * 560 + 1]) {
      const parts = await encode(backend, logits, [9, 8, 10], image, { maxPackedBytes });
      expect(parts).toEqual(together);
    }
    for (const { counts, area, box } of together) {
      expect(area).toBe(areaOf(counts));
      expect(box).toEqual(boxOf(counts, image.height));
    }
    expect(new Set(together.map(({ counts }) => countsToString(counts))).size).toBe(9);
  });

  test('what does not exist is refused, and nothing stays on the device', async () => {
    const before = backend.memory().usedBytes;
    const logits = new Float32Array(24);
    const image = { width: 8, height: 8 };
    const refused = [
      [[2, 3, 4], image, { selected: [2] }, 'map 2 of logits [2,3,4]; expected one of 0 to 1'],
      [[2, 3, 4], image, { selected: [0.5] }, 'map 0.5'],
      [[24], image, {}, 'logits of shape [24]; expected [..., height, width]'],
      [[2, 3, 4], { width: 0, height: 8 }, {}, 'an image of 0×8'],
      [[2, 3, 4], { width: 8, height: 1.5 }, {}, 'an image of 8×1.5'],
    ] as const;
    for (const [dims, size, options, message] of refused) {
      await expect(encode(backend, logits, dims, size, options)).rejects.toThrow(message);
    }
    await encode(backend, logits.fill(1), [2, 3, 4], image);
    expect(backend.memory().usedBytes).toBe(before);
  });

  test.skipIf(!hasReal)('SAM 2’s logits for a photograph, at five sizes', async () => {
    const { data, shape } = decodeNpy(await Bun.file(real).bytes());
    for (const { height, width, length, sha256: digest, area, box } of manifest.real.logits) {
      const [mask] = await encode(backend, data as Float32Array, shape, { height, width });
      const found = describeMask(mask);
      expect(found.counts.length).toBe(length);
      expect(sha256(found.counts)).toBe(digest);
      expect({ area: found.area, box: found.box }).toEqual({ area, box: [...box] });
    }
  });
});
