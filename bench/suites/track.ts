import type { Backend, Model } from '../../src/compute/backend.ts';
import { elementCount, type Tensor } from '../../src/compute/tensor.ts';
import { type ModelSource, OpenModels } from '../../src/models/open_models.ts';
import type { VideoFrame } from '../../src/video/track/frame_features.ts';
import { SAM_LIMITS, type TrackerModel } from '../../src/video/track/model.ts';
import { Tracker } from '../../src/video/track/tracker.ts';
import type { BenchContext } from '../measurement.ts';
import { openForBench } from '../open.ts';

const STAGE = 'track';
const FRAMES = 40;
/** Frames until the memory is full and shapes stay as they are. */
const WARM_UP = 20;
const [WIDTH, HEIGHT] = [960, 540];

/** SAM 3's sizes. */
const [IMAGE, MASK, GRID, CHANNELS, MEMORY] = [1008, 288, 72, 256, 64];

/**
 * What a tracked frame costs beside the graphs: decoded pixels to the encoder's input, memories and
 * pointers put together, masks to runs. The graphs are replaced by ones that answer at once, in SAM 3's
 * sizes.
 */
export async function run(context: BenchContext): Promise<void> {
  const cases = [1, 4].map((objects) => ({
    objects,
    name: `own work a frame and object, ${WIDTH}x${HEIGHT}, ${objects} objects`,
  }));
  const wanted = cases.filter(({ name }) => context.wants(STAGE, name));
  if (wanted.length === 0) return;
  const backend = await openForBench(context.device);
  for (const { objects, name } of wanted) {
    const samples = await measure(backend, objects);
    context.report(STAGE, name, samples, context.device === 'cpu' ? 'bound 15 ms' : '');
  }
  await backend.dispose();
}

async function measure(backend: Backend, objects: number): Promise<number[]> {
  const models = new InstantModels(backend);
  const tracker = new Tracker(backend, models, MODEL, { frames: null });
  for (let i = 0; i < objects; i++) {
    await tracker.addPrompt(0, frame(0), { points: [[0.5, 0.5]], labels: [1], box: null });
  }
  const samples: number[] = [];
  for (let index = 1; index <= WARM_UP + FRAMES; index++) {
    const next = frame(index);
    const started = performance.now();
    await tracker.step(index, next, 1);
    if (index > WARM_UP) samples.push((performance.now() - started) / objects);
  }
  tracker.dispose();
  models.dispose();
  return samples;
}

function source(name: string): ModelSource {
  return { name, file: name, version: 1, bytes: 1 };
}

const MODEL: TrackerModel = {
  name: 'instant',
  imageSize: IMAGE,
  maskSize: MASK,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
  encoder: source('vision-encoder'),
  clickDecoder: source('click-decoder'),
  memoryAttention: source('memory-attention'),
  memoryEncoder: source('memory-encoder'),
  maskPrompt: source('mask-prompt'),
  edgetam: null,
  limits: SAM_LIMITS,
};

function frame(index: number): VideoFrame {
  const pixels = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 31 + index) & 255);
  return { pixels, size: { width: WIDTH, height: HEIGHT } };
}

/** Outputs by name, for `n` objects. */
function shapes(n: number): Record<string, number[]> {
  return {
    'image_embeddings.0': [1, CHANNELS / 8, 4 * GRID, 4 * GRID],
    'image_embeddings.1': [1, CHANNELS / 4, 2 * GRID, 2 * GRID],
    'image_embeddings.2': [1, CHANNELS, GRID, GRID],
    tracker_feat: [1, CHANNELS, GRID, GRID],
    fused_feat: [n, CHANNELS, GRID, GRID],
    best_mask: [n, 1, MASK, MASK],
    best_iou: [n, 1],
    object_pointer: [n, CHANNELS],
    object_score_logits: [1, n, 1],
    memory_features: [n, MEMORY, GRID, GRID],
  };
}

/** Graphs that answer at once: a round object, seen well. */
class InstantModels extends OpenModels {
  private readonly mask: Tensor<'float32'>;

  constructor(private readonly device: Backend) {
    super(device);
    const logits = Float32Array.from({ length: MASK * MASK }, (_, i) => {
      const [y, x] = [Math.floor(i / MASK), i % MASK];
      return 60 + 4 * Math.sin(x / 3) - Math.hypot(x - MASK / 2, y - MASK / 2);
    });
    this.mask = device.upload(logits, [1, 1, MASK, MASK]) as Tensor<'float32'>;
  }

  override get(): Promise<Model> {
    return this.getForShapes();
  }

  override async getForShapes(): Promise<Model> {
    return {
      inputs: [],
      outputs: [],
      reusesOutputs: false,
      run: async (feeds, wanted) => {
        const objects = feeds.multimask ?? feeds.is_mask_from_points ?? feeds.memory_rows;
        const dims = shapes(objects?.dims[0] ?? 1);
        return Object.fromEntries(wanted.map((name) => [name, this.answer(name, dims[name])]));
      },
      dispose: async () => {},
    };
  }

  dispose(): void {
    this.device.release(this.mask);
  }

  private answer(name: string, dims: readonly number[]): Tensor {
    if (name === 'best_iou' || name === 'object_score_logits') {
      return this.device.upload(new Float32Array(elementCount(dims)).fill(0.9), dims);
    }
    const tensor = this.device.empty('float32', dims);
    if (name === 'best_mask') {
      for (let to = 0; to < elementCount(dims); to += MASK * MASK) {
        this.device.copy(this.mask, tensor, { to });
      }
    }
    return tensor;
  }
}
