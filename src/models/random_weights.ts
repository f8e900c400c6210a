import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the compressed skeletons and their index lie. */
const GRAPH_FOLDER = join(import.meta.dir, '..', '..', 'bench', 'graphs');

/** Elements are computed and written in pieces of this many bytes, so memory stays bounded. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Standard deviation of the sum of four uniform bytes, whose mean is 510. */
const SPREAD = Math.sqrt((4 * 65535) / 12);
const SUM_LEVELS = 4 * 255 + 1;

/** A stretch of the data file with elements of one type and distribution. */
export interface WeightRun {
  /** Where it starts in the file, in bytes. */
  readonly offset: number;
  readonly bytes: number;
  readonly type: 'float32' | 'float16';
  readonly mean: number;
  readonly deviation: number;
}

/** What models/export/make_random_graphs.py noted of one graph. */
interface RandomGraph {
  readonly dtype: 'fp32' | 'fp16';
  readonly input: string;
  readonly output: string;
  readonly dataBytes: number;
  readonly runs: readonly WeightRun[];
  /** The depth [1,518,518] that onnxruntime's CPU gave, in Python, for the probe image. */
  readonly probe: {
    readonly mean: number;
    readonly deviation: number;
    /** Every `probeStep`-th element. */
    readonly values: readonly number[];
  };
}

interface GraphIndex {
  /** The probe image, float32 [1,3,518,518], drawn like the weights. */
  readonly probeInput: WeightRun;
  readonly probeStep: number;
  readonly graphs: Readonly<Record<string, RandomGraph>>;
}

/** The index of the graphs that `materialiseRandomGraph` can write. */
export async function readRandomGraphs(): Promise<GraphIndex> {
  return (await Bun.file(join(GRAPH_FOLDER, 'graphs.json')).json()) as GraphIndex;
}

/** An ONNX graph and the data file beside it that holds its weights. */
export interface MaterialisedGraph {
  readonly onnx: string;
  readonly data: string;
}

/**
 * Writes a Depth Anything graph of the true size with random weights, for measuring speed without
 * the published weights. The same bytes come out on every machine; files that are already there
 * are reused.
 *
 * @param name a key of `readRandomGraphs().graphs`, such as `depth-vits` or `depth-vitl-fp16`
 * @param cacheDir folder that may hold up to 1.3 GB a graph; made when missing
 * @returns the paths of the graph and of its data, to be opened by path
 * @throws RangeError for an unknown name, listing the known ones
 */
export async function materialiseRandomGraph(
  name: string,
  cacheDir: string,
): Promise<MaterialisedGraph> {
  const { graphs } = await readRandomGraphs();
  const graph = Object.hasOwn(graphs, name) ? graphs[name] : undefined;
  if (!graph) {
    throw new RangeError(
      `no random graph is called ${JSON.stringify(name)}: use one of ${Object.keys(graphs).join(', ')}`,
    );
  }
  const packed = await Bun.file(join(GRAPH_FOLDER, `${name}.onnx.gz`)).bytes();
  // The digest in the folder's name keeps an older export's files from being taken for this one's.
  const digest = createHash('sha256').update(packed).update(JSON.stringify(graph.runs));
  const folder = join(cacheDir, `${name}-${digest.digest('hex').slice(0, 12)}`);
  await mkdir(folder, { recursive: true });

  const onnx = join(folder, `${name}.onnx`);
  const data = join(folder, `${name}.onnx_data`);
  if ((await sizeOf(data)) !== graph.dataBytes) {
    await writeAtomically(data, (file) => writeRuns(file, graph.runs));
  }
  const skeleton = Bun.gunzipSync(packed);
  if ((await sizeOf(onnx)) !== skeleton.byteLength) {
    await writeAtomically(onnx, (file) => writeFully(file, skeleton));
  }
  return { onnx, data };
}

/**
 * Computes the elements at `offset`, `offset` + element size, … of a run, as bytes.
 *
 * The element at byte `o` of a file is mean + deviation · (s − 510) / SPREAD, where s is the sum of
 * the four bytes of `mix(o)`: nearly normal, and known without the elements before it.
 * models/export/random_weights.py has the same rule.
 */
export function fillWeights(run: WeightRun, offset: number, bytes: number): Uint8Array {
  const size = run.type === 'float32' ? 4 : 2;
  const table =
    run.type === 'float32' ? new Float32Array(SUM_LEVELS) : new Float16Array(SUM_LEVELS);
  for (let sum = 0; sum < SUM_LEVELS; sum++) {
    table[sum] = run.mean + run.deviation * ((sum - 510) / SPREAD);
  }
  // The bit patterns are copied as integers: that is exact, and faster for float16.
  const Bits = size === 4 ? Uint32Array : Uint16Array;
  const patterns = new Bits(table.buffer);
  const elements = new Bits(bytes / size);
  for (let index = 0; index < elements.length; index++) {
    const hash = mix(offset + index * size);
    const sum = (hash & 255) + ((hash >>> 8) & 255) + ((hash >>> 16) & 255) + (hash >>> 24);
    elements[index] = patterns[sum];
  }
  return new Uint8Array(elements.buffer);
}

/** The 32-bit bijection "lowbias32" of C. Wellons' hash-prospector. */
function mix(value: number): number {
  let x = value | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  return x ^ (x >>> 16);
}

async function writeRuns(file: FileHandle, runs: readonly WeightRun[]): Promise<void> {
  for (const run of runs) {
    const end = run.offset + run.bytes;
    for (let offset = run.offset; offset < end; offset += PIECE_BYTES) {
      await writeFully(file, fillWeights(run, offset, Math.min(PIECE_BYTES, end - offset)));
    }
  }
}

async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    done += (await file.write(bytes, done, bytes.byteLength - done)).bytesWritten;
  }
}

/** Writes to a name of its own and renames, so that nobody ever sees half a file. */
async function writeAtomically(
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(draft, 'wx');
    try {
      await write(file);
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch {
    return undefined;
  }
}
