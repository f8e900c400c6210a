import { describe, expect, test } from 'bun:test';
import { devices } from '../../test/devices.ts';
import { FeatureCache } from './feature_cache.ts';

const KIB = 1024;

describe.each(devices)('the feature cache on %s', (_, backend) => {
  const before = backend.memory().usedBytes;
  const used = () => backend.memory().usedBytes - before;
  const tensors = () => ({ a: backend.empty('float32', [128]), b: backend.empty('uint8', [512]) });
  const cache = (maxBytes: number, ttlMs = 0, onExpired?: () => void) =>
    new FeatureCache(backend, { maxBytes, ttlMs, onExpired });
  const fill = (features: FeatureCache, ...keys: string[]) => {
    for (const key of keys) features.add(key, tensors()).release();
  };

  test('gives back what was put in, and counts', () => {
    const features = cache(10 * KIB);
    expect(features.get('x')).toBeNull();
    const made = tensors();
    features.add('x', made).release();
    const lease = features.get('x');
    expect(lease?.tensors).toBe(made);
    lease?.release();
    expect([features.hits, features.misses, features.size, features.bytes]).toEqual([1, 1, 1, KIB]);
    features.clear();
    expect([features.size, features.bytes, used()]).toEqual([0, 0, 0]);
  });

  test('drops the least recently used past its bound', () => {
    const features = cache(3 * KIB);
    fill(features, 'a', 'b', 'c');
    features.get('a')?.release();
    fill(features, 'd');
    expect([features.bytes, used()]).toEqual([3 * KIB, 3 * KIB]);
    expect(features.get('b')).toBeNull();
    for (const key of ['a', 'c', 'd']) {
      const lease = features.get(key);
      expect(lease).not.toBeNull();
      lease?.release();
    }
    features.clear();
    expect(used()).toBe(0);
  });

  test('releases nothing that is in use, by however many', () => {
    const features = cache(KIB);
    const first = features.add('a', tensors());
    const second = features.get('a');
    fill(features, 'b');
    expect(features.get('a')).toBeNull();
    expect([features.bytes, used()]).toEqual([KIB, 2 * KIB]);
    first.release();
    first.release();
    expect(used()).toBe(2 * KIB);
    second?.release();
    expect(used()).toBe(KIB);
    features.clear();
    expect(used()).toBe(0);
  });

  test.each([0, KIB - 1])(
    'lends what is above a bound of %d bytes, but does not keep it',
    (bound) => {
      const features = cache(bound);
      const lease = features.add('a', tensors());
      expect([features.get('a'), features.bytes, used()]).toEqual([null, 0, KIB]);
      lease.release();
      expect(used()).toBe(0);
    },
  );

  test('drops what has not been used for a while, on its own, and says so', async () => {
    const told: number[][] = [];
    const features: FeatureCache = cache(10 * KIB, 60, () => {
      told.push([features.size, features.bytes]);
    });
    const held = features.add('held', tensors());
    fill(features, 'idle');
    while (told.length < 2) await Bun.sleep(5);
    // What it tells is true when it tells it.
    expect(told).toEqual([
      [1, KIB],
      [0, 0],
    ]);
    expect([features.size, features.bytes, used()]).toEqual([0, 0, KIB]);
    held.release();
    expect(used()).toBe(0);
  });
});
