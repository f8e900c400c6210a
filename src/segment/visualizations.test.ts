import { expect, test } from 'bun:test';
import { visualizationUrl } from './visualization_routes.ts';
import { VisualizationStore } from './visualizations.ts';

const picture = (bytes: number, value: number) => new Uint8Array(bytes).fill(value);

test('pictures are found by their name and nothing else', () => {
  const store = new VisualizationStore({ maxBytes: 1000, ttlMs: 60_000 });
  const names = Array.from({ length: 50 }, (_, i) => store.add(picture(10, i)));
  expect(new Set(names).size).toBe(50);
  for (const [i, name] of names.entries()) {
    // 128 bits.
    expect(name).toMatch(/^[\w-]{22}$/);
    expect(store.find(name)?.png).toEqual(picture(10, i));
  }
  expect(store.find('')).toBeNull();
  expect(store.find(names[0].slice(1))).toBeNull();
});

test('the least recently seen go when bytes run out', () => {
  const store = new VisualizationStore({ maxBytes: 100, ttlMs: 60_000 });
  const [first, second] = [store.add(picture(40, 1)), store.add(picture(40, 2))];
  store.find(first);
  const third = store.add(picture(40, 3));
  expect([first, second, third].map((name) => store.find(name) !== null)).toEqual([
    true,
    false,
    true,
  ]);
  expect(() => store.add(picture(101, 4))).toThrow('return_visualization');
  expect(store.find(third)).not.toBeNull();
});

test('they go when their time is over, seen or not', async () => {
  const store = new VisualizationStore({ maxBytes: 100, ttlMs: 40 });
  const name = store.add(picture(10, 1));
  expect(store.find(name)?.leftMs).toBeWithin(0, 41);
  const deadline = performance.now() + 10_000;
  while (store.find(name) && performance.now() < deadline) await Bun.sleep(5);
  expect(store.find(name)).toBeNull();
});

test.each<[string, string, Record<string, string>, string]>([
  ['a host', 'http://robot.local:8000/x?y', {}, 'http://robot.local:8000'],
  ['an address', 'http://[::1]:8000/', {}, 'http://[::1]:8000'],
  [
    'a proxy',
    'http://10.0.0.7:8000/',
    { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'vision.example, inner' },
    'https://vision.example',
  ],
  ['a proxy that says nonsense', 'http://h:1/', { 'x-forwarded-host': 'a/b?c' }, ''],
  ['a scheme that is none of ours', 'http://h:1/', { 'x-forwarded-proto': 'javascript' }, ''],
])('the URL behind %s', (_, url, headers, origin) => {
  const request = new Request(url, { headers });
  expect(visualizationUrl('abc', request)).toBe(`${origin}/api/v1/image/visualization/abc.png`);
});
