import type { Backend, Model } from '../../src/compute/backend.ts';
import { openCpuBackend } from '../../src/compute/cpu/backend.ts';
import { withTensors } from '../../src/compute/scope.ts';
import { attentionIsRight } from '../../src/compute/webgpu/self_check.ts';
import { replaysTruly } from '../../src/models/capture_check.ts';
import { readOnnxHeader } from '../../src/models/onnx_header.ts';
import { readRandomGraphs } from '../../src/models/random_weights.ts';
import { graphFile, MINI } from '../graphs.ts';
import type { BenchDevice } from '../measurement.ts';
import { openForBench } from '../open.ts';
import { largestError, requireBelow } from './errors.ts';
import { compareKernels } from './kernels.ts';
import { compareKnownAnswer } from './known_answer.ts';

type Step = readonly [name: string, work: () => Promise<unknown>];

/** What is asked of an adapter that could be opened, the cheapest first. */
export async function probeSteps(device: BenchDevice): Promise<Step[]> {
  const backend = await openForBench(device, { timestamps: true });
  // A size at which a software rasteriser is done within a minute.
  const size = device === 'software' ? 70 : 518;
  return [
    ['device', async () => ({ ...backend.info, ...(await adapterFacts()) })],
    ['kernels against their CPU twins', () => compareKernels(backend)],
    ['timestamps', () => timestamps(backend)],
    ['readback a thousand times', () => readbacks(backend)],
    ['attention', () => attention(backend)],
    [`${MINI} against the CPU`, () => compareMini(backend, size)],
    [`${MINI} captured`, () => captured(backend, size)],
    ...(device === 'software' ? [] : await knownAnswers(backend)),
    ['memory', async () => backend.memory()],
  ];
}

async function adapterFacts(): Promise<Record<string, unknown>> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return {};
  const { vendor, architecture, device, description } = adapter.info;
  const limits = Object.fromEntries(
    [
      'maxBufferSize',
      'maxStorageBufferBindingSize',
      'maxComputeWorkgroupStorageSize',
      'maxComputeInvocationsPerWorkgroup',
      'maxStorageBuffersPerShaderStage',
      'maxTextureDimension2D',
    ].map((name) => [name, adapter.limits[name as 'maxBufferSize']]),
  );
  const subgroups = [adapter.info.subgroupMinSize, adapter.info.subgroupMaxSize];
  const offered = [...adapter.features].sort();
  return { adapter: { vendor, architecture, device, description }, limits, subgroups, offered };
}

/** Whether the kernels of the last step left times, which the GPU's clock can give. */
async function timestamps(backend: Backend): Promise<unknown> {
  if (!backend.info.features.includes('timestamp-query')) return 'not offered';
  const times = [...(await backend.kernelTimes())].map(([name, all]) => [name, Math.min(...all)]);
  if (times.length === 0) throw new Error('timestamp-query is offered, but no kernel has a time');
  return { nanoseconds: Object.fromEntries(times) };
}

async function readbacks(backend: Backend): Promise<string> {
  for (let round = 0; round < 1000; round++) {
    const sent = Float32Array.of(round, round + 1, round + 2);
    const tensor = backend.upload(sent, [3]);
    const got = await backend.download(tensor);
    backend.release(tensor);
    requireBelow('a readback', largestError(got as Float32Array, sent), 1e-9);
    if (round % 100 === 0) Bun.gc(true);
  }
  return 'all equal';
}

async function attention(backend: Backend): Promise<string> {
  if (!(await attentionIsRight(backend))) throw new Error('onnxruntime computes it wrong');
  return `right, ${backend.info.features.includes('subgroups') ? 'with' : 'without'} subgroups`;
}

/** The same picture of noise through the same file on both. */
async function compareMini(backend: Backend, size: number): Promise<string> {
  const cpu = openCpuBackend();
  const expected = await runMini(cpu, size);
  const found = await runMini(backend, size);
  await cpu.dispose();
  const error = largestError(found, expected);
  requireBelow('the largest difference in metres', error, 0.02);
  return `${size}x${size}, largest difference ${error.toExponential(2)} m of ${Math.max(...expected.slice(0, 999)).toFixed(1)}`;
}

async function runMini(backend: Backend, size: number): Promise<Float32Array> {
  const file = await graphFile(MINI);
  const { inputs, outputs } = readOnnxHeader(file);
  const model = await backend.openModel(file);
  const pixels = Float32Array.from({ length: 3 * size * size }, (_, i) => Math.sin(i * i) * 2);
  const found = await withTensors(backend, async (keep) => {
    const image = keep(backend.upload(pixels, [1, 3, size, size]));
    const results = await model.run({ [inputs[0].name]: image }, [outputs[0].name]);
    return backend.download(keep(results[outputs[0].name]));
  });
  await model.dispose();
  return found as Float32Array;
}

async function captured(backend: Backend, size: number): Promise<string> {
  const file = await graphFile(MINI);
  const axes = readOnnxHeader(file).inputs[0].dims;
  const sizes = [1, 3, size, size];
  const fixedDims = Object.fromEntries(
    axes.flatMap((axis, i) => (typeof axis === 'string' ? [[axis, sizes[i]]] : [])),
  );
  const open = (capture: boolean): Promise<Model> =>
    backend.openModel(file, { fixedDims, capture });
  const [free, replayed] = [await open(false), await open(true)];
  const right = await replaysTruly(backend, replayed, free);
  await free.dispose();
  await replayed.dispose();
  if (!right) throw new Error('a captured run differs from an uncaptured one');
  return 'replays what it computes uncaptured';
}

/** Graphs of true size, whose answer for one picture is on record. */
async function knownAnswers(backend: Backend): Promise<Step[]> {
  const half = backend.info.features.includes('shader-f16');
  return Object.keys((await readRandomGraphs()).graphs)
    .filter((name) => !name.includes('dynamic') && (half || !name.includes('fp16')))
    .map((name) => [`${name}, true size`, () => compareKnownAnswer(backend, name)]);
}
