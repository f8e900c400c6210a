import { afterAll, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOnnxHeader } from '../src/models/onnx_header.ts';
import { SEGMENT_MINI, SEGMENT_VITL } from './graphs.ts';

const folder = await mkdtemp(join(tmpdir(), 'bench-graphs-'));
afterAll(() => rm(folder, { recursive: true }));

test("the ViT-L gives what segment-mini's decoders take", async () => {
  const file = join(folder, 'vision-encoder.onnx');
  await Bun.write(file, Bun.gunzipSync(await Bun.file(SEGMENT_VITL).bytes()));
  const shapes = (path: string) =>
    readOnnxHeader(path).outputs.map(({ name, dtype, dims }) => [name, dtype, dims.slice(1)]);
  const wanted = shapes(join(SEGMENT_MINI, 'vision-encoder.onnx'));
  expect(wanted.length).toBeGreaterThanOrEqual(7);
  expect(shapes(file)).toEqual(wanted);
});
