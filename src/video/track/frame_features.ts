import { LRUCache } from 'lru-cache';
import type { Backend, Model } from '../../compute/backend.ts';
import { withTensors } from '../../compute/scope.ts';
import type { Tensor } from '../../compute/tensor.ts';
import type { OpenModels } from '../../models/open_models.ts';
import { prepareAntialiased } from '../../sam/preprocess.ts';
import { withoutNoMemory } from './edgetam_layout.ts';
import { byteLength } from './memory_bank.ts';
import type { TrackerModel } from './model.ts';

/** A decoded frame. */
export interface VideoFrame {
  /** Packed RGB8 [height, width, 3]. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly size: { readonly width: number; readonly height: number };
}

/** What the vision encoder gives for a frame: SAM3.md. */
export interface FrameFeatures {
  /** `image_embeddings.0` and `.1`. */
  readonly high: Tensor<'float32'>;
  readonly middle: Tensor<'float32'>;
  /** `image_embeddings.2`, for a frame without memory. */
  readonly alone: Tensor<'float32'>;
  /** `tracker_feat`; of EdgeTAM's set `image_embeddings.2` without its no-memory embedding. */
  readonly raw: Tensor<'float32'>;
}

const OUTPUTS = [
  'image_embeddings.0',
  'image_embeddings.1',
  'image_embeddings.2',
  'tracker_feat',
] as const;

/** Frames kept: the last one, which is prompted when a propagation is stopped, and one more. */
const KEPT = 2;

interface Encoded {
  readonly features: FrameFeatures;
  readonly others: Readonly<Record<string, Tensor>>;
}

/** The features of the last frames of one clip, shared by all its objects. */
export class FrameEncoder {
  private readonly frames: LRUCache<number, FrameFeatures>;

  constructor(
    private readonly backend: Backend,
    private readonly models: OpenModels,
    private readonly model: TrackerModel,
  ) {
    this.frames = new LRUCache<number, FrameFeatures>({
      max: KEPT,
      dispose: (features) => backend.release(...tensorsOf(features)),
    });
  }

  /** Stays the encoder's, until other frames have been asked for. */
  async get(index: number, frame: VideoFrame): Promise<FrameFeatures> {
    const known = this.frames.get(index);
    if (known) return known;
    const { features } = await this.encode(frame, []);
    this.frames.set(index, features);
    return features;
  }

  /**
   * Encodes a frame, keeps what {@link get} gives, and lends further outputs of the same run to `use`:
   * those that find texts read others than the tracker.
   */
  async lend<T>(
    index: number,
    frame: VideoFrame,
    names: readonly string[],
    use: (others: Readonly<Record<string, Tensor>>) => Promise<T>,
  ): Promise<T> {
    const { features, others } = await this.encode(frame, names);
    this.frames.set(index, features);
    try {
      return await use(others);
    } finally {
      this.backend.release(...Object.values(others));
    }
  }

  get bytes(): number {
    return [...this.frames.values()]
      .flatMap(tensorsOf)
      .reduce((sum, tensor) => sum + byteLength(tensor), 0);
  }

  clear(): void {
    this.frames.clear();
  }

  private async encode({ pixels, size }: VideoFrame, more: readonly string[]): Promise<Encoded> {
    const { imageSize, encoder } = this.model;
    const shapes = { pixel_values: [1, 3, imageSize, imageSize] };
    const graph = await this.models.getForShapes(encoder, shapes, 'only');
    return withTensors(this.backend, async (keep) => {
      const image = keep(this.backend.upload(pixels, [size.height, size.width, 3]));
      const input = keep(prepareAntialiased(this.backend, image, size, imageSize, this.model));
      const { edgetam } = this.model;
      const own = edgetam ? OUTPUTS.slice(0, 3) : OUTPUTS;
      const results = await graph.run({ pixel_values: input }, [...own, ...more]);
      const [high, middle, alone, stated] = own.map((name) =>
        this.own(graph, results[name] as Tensor<'float32'>),
      );
      const raw = edgetam ? await withoutNoMemory(this.backend, alone, edgetam.bank) : stated;
      const others = more.map((name) => [name, this.own(graph, results[name])]);
      return { features: { high, middle, alone, raw }, others: Object.fromEntries(others) };
    });
  }

  /** A result that the graph's next run leaves alone. */
  private own<T extends Tensor>(graph: Model, result: T): T | Tensor<T['dtype']> {
    if (!graph.reusesOutputs) return result;
    const copy = this.backend.empty<T['dtype']>(result.dtype, result.dims);
    this.backend.copy(result, copy);
    this.backend.release(result);
    return copy;
  }
}

function tensorsOf({ high, middle, alone, raw }: FrameFeatures): Tensor[] {
  return [high, middle, alone, raw];
}
