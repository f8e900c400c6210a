import { afterAll, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = await mkdtemp(join(tmpdir(), 'triptych-bundle-'));
afterAll(() => rm(folder, { recursive: true }));

test('bundles for browsers without any of the server, and the bundle works', async () => {
  const built = await Bun.build({
    entrypoints: [fileURLToPath(new URL('./index.ts', import.meta.url))],
    target: 'browser',
    outdir: folder,
    metafile: true,
  });
  const inputs = Object.keys(built.metafile?.inputs ?? {}).map((path) =>
    path.replaceAll('\\', '/'),
  );
  expect(inputs.some((path) => path.endsWith('src/client/depth.ts'))).toBe(true);
  const foreign = inputs.filter((path) => !/src\/client\/|node_modules\/yaml\//.test(path));
  // COCO's masks are the one thing that is computed on both sides.
  expect(foreign.map((path) => path.replace(/^.*src\//, '')).sort()).toEqual([
    'media/errors.ts',
    'media/rle.ts',
    'media/rle_pixels.ts',
  ]);
  const bundle: typeof import('./index.ts') = await import(join(folder, 'index.js'));
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => Response.json(await request.json()),
  });
  try {
    const image = await bundle.encodeImage(new Blob(['picture']));
    const echo = await bundle.predictMetricDepth({ image }, { baseUrl: server.url });
    expect(echo as unknown).toEqual({ image: btoa('picture') });
    const size = { width: 3, height: 2 };
    const pixels = new Uint8Array([0, 1, 1, 0, 0, 1]);
    expect(bundle.decodeMask(bundle.encodeMask(pixels, size), size)).toEqual(pixels);
  } finally {
    await server.stop(true);
  }
});
