import { copyFile, link, mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cacheDirectory } from '../src/cache.ts';
import type { Backend, Model } from '../src/compute/backend.ts';
import { addLocalModel } from '../src/models/local_model.ts';
import { readOnnxHeader } from '../src/models/onnx_header.ts';
import { materialiseRandomGraph } from '../src/models/random_weights.ts';
import { openStore } from '../src/models/store.ts';

/** The embedded model, by the name that answers carry. */
export const MINI = 'depth-mini';

/** The file of the embedded model, or of a graph of true size with random weights. */
export async function graphFile(name: string): Promise<string> {
  if (name === MINI) return join(import.meta.dir, '../models/embedded/depth-mini.onnx');
  return (await materialiseRandomGraph(name, join(cacheDirectory(), 'graphs'))).onnx;
}

/** How a graph is to be run. */
export interface GraphUse {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  /** WebGPU: fixes every dimension, records the commands and replays them. */
  readonly capture: boolean;
}

/** A graph that is open, with an input of the asked size on the device. */
export interface OpenGraph {
  /** Runs it once; on a GPU it only enqueues. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a depth graph and feeds it the same picture of noise at each run. */
export async function openGraph(
  backend: Backend,
  file: string,
  { batch, height, width, capture }: GraphUse,
): Promise<OpenGraph> {
  const { inputs, outputs } = readOnnxHeader(file);
  const dims = [batch, 3, height, width];
  const free = inputs[0].dims.flatMap((dim, axis) =>
    typeof dim === 'string' ? [[dim, dims[axis]] as const] : [],
  );
  const fixedDims = capture ? Object.fromEntries(free) : undefined;
  const model: Model = await backend.openModel(file, { fixedDims, capture });
  const size = batch * 3 * height * width;
  const pixels = Float32Array.from({ length: size }, (_, i) => ((i * 37) % 255) / 64 - 2);
  const input = backend.upload(pixels, dims);
  const output = outputs[0].name;
  return {
    run: async () => {
      const results = await model.run({ [inputs[0].name]: input }, [output]);
      backend.release(results[output]);
    },
    close: async () => {
      backend.release(input);
      await model.dispose();
    },
  };
}

/** What `bun bench` registers for requests that ask for a ViT-S. */
const LOCAL_ID = 'random-vits';

/** Makes a ViT-S of random weights answer requests for encoder vits, on sizes of any aspect. */
export async function installRandomVits(): Promise<void> {
  const file = await graphFile('depth-vits-dynamic');
  await addLocalModel(openStore(), file, {
    id: LOCAL_ID,
    encoder: 'vits',
    dataset: 'hypersim',
  });
}

export const SEGMENT_MINI = join(import.meta.dir, '../models/embedded/segment-mini');
export const SEGMENT_VITL = join(import.meta.dir, 'graphs/segment-vitl.onnx.gz');

/**
 * A segmentation model with a ViT-L of true size and random weights as its encoder, and
 * segment-mini's other parts.
 *
 * @returns the folder, to be given as SAM3_CHECKPOINT
 */
export async function segmentVitlFolder(): Promise<string> {
  const { data } = await materialiseRandomGraph('depth-vitl', join(cacheDirectory(), 'graphs'));
  const folder = join(dirname(data), 'segment');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  const skeleton = Bun.gunzipSync(await Bun.file(SEGMENT_VITL).bytes());
  await Bun.write(join(folder, 'vision-encoder.onnx'), skeleton);
  // A second name, as onnxruntime follows no symbolic link out of a model's folder.
  await link(data, join(folder, basename(data)));
  const others = (await readdir(SEGMENT_MINI)).filter((name) => name !== 'vision-encoder.onnx');
  for (const name of others) await copyFile(join(SEGMENT_MINI, name), join(folder, name));
  return folder;
}
