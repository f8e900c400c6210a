import { availableParallelism } from 'node:os';
import { HttpError } from '../api/errors.ts';
import { Gate } from '../api/gate.ts';
import type { EnginePool } from '../engine/pool.ts';
import type { Timings } from '../engine/task.ts';
import { type ImageSource, loadImage, type SourceLimits } from '../media/source.ts';
import type { ModelStore } from '../models/store.ts';
import { depthInputSize, PATCH, type Size } from './input_size.ts';
import { type DepthModelRequest, DepthModels } from './models.ts';
import { type CloudOptions, type DepthOutput, depthTask } from './task.ts';

/** What a route asks of the service, defaults filled in. */
export interface DepthQuery extends DepthModelRequest {
  readonly source: ImageSource;
  readonly modelInputSize: number;
  /** Metric only: what the model's output in (0, 1) is multiplied by; null is the trained range. */
  readonly maxDepth: number | null;
  readonly cloud: CloudOptions | null;
}

export interface DepthResult extends DepthOutput {
  readonly size: Size;
  readonly kind: 'metric' | 'relative';
  readonly model: string;
  /** Whether that is the model asked for. */
  readonly exact: boolean;
  readonly timings: Timings;
}

export interface DepthServiceOptions {
  readonly pool: EnginePool;
  readonly store: ModelStore;
  readonly limits: SourceLimits;
  readonly strictModels: boolean;
  readonly maxInputSize: number;
  readonly queueTimeoutMs: number;
}

/** An input may have at most this many times the pixels of a square one of the largest size. */
const MAX_ASPECT = 2;

/** Pixels a side: 2·side² must fit the kernels' 32-bit coordinates. */
const MAX_SIDE = 16_384;

/** Image → depth: decodes here, computes in the engine. */
export class DepthService {
  private readonly models: DepthModels;
  /** Decoding runs in threads of its own; more at a time would only hold more pictures. */
  private readonly decoding = new Gate(availableParallelism(), 64);

  constructor(private readonly options: DepthServiceOptions) {
    this.models = new DepthModels(options.store, options.strictModels);
  }

  /**
   * @throws HttpError 422 for a size the model cannot take
   * @throws MediaError for a bad image
   * @throws EngineError when there is no answer from the engine
   * @throws ModelNotInstalledError in strict mode
   */
  async predict(query: DepthQuery, signal?: AbortSignal): Promise<DepthResult> {
    this.checkInputSize(query.modelInputSize);
    this.options.pool.checkCapacity();
    const { graph, exact, trainedMaxDepth, fixedSize } = this.models.find(
      query,
      this.preferredPrecision(),
    );
    const started = performance.now();
    const image = await this.decoding.run(() =>
      loadImage(query.source, this.options.limits, signal),
    );
    const decoded = performance.now();
    const size = { width: image.width, height: image.height };
    const free = this.inputSize(size, query.modelInputSize);
    const inputSize = {
      width: fixedSize.width ?? free.width,
      height: fixedSize.height ?? free.height,
    };
    const { maxDepth, kind, cloud } = query;
    const depthScale = kind === 'metric' && maxDepth !== null ? maxDepth / trainedMaxDepth : 1;
    const { output, timings } = await this.options.pool.submit(
      depthTask,
      { graph, pixels: image.data, size, inputSize, depthScale, cloud },
      { signal, deadlineMs: this.options.queueTimeoutMs },
    );
    const decode = decoded - started;
    return { ...output, size, kind, model: graph.name, exact, timings: { decode, ...timings } };
  }

  /** Whose preference among installed precisions holds: without shader-f16, the CPU's. */
  private preferredPrecision(): 'webgpu' | 'cpu' {
    return this.options.pool.device?.features.includes('shader-f16') ? 'webgpu' : 'cpu';
  }

  private checkInputSize(size: number): void {
    const { maxInputSize } = this.options;
    if (size % PATCH === 0 && size <= maxInputSize) return;
    throw new HttpError(
      422,
      `model_input_size: expected a multiple of ${PATCH} from ${PATCH} to ${maxInputSize}, given ${size}`,
    );
  }

  private inputSize(size: Size, modelInputSize: number): Size {
    if (Math.max(size.width, size.height) > MAX_SIDE) {
      throw new HttpError(
        422,
        `image: ${size.width}x${size.height}; at most ${MAX_SIDE} pixels a side are taken: crop it`,
      );
    }
    const input = depthInputSize(size, modelInputSize);
    const bound = MAX_ASPECT * this.options.maxInputSize ** 2;
    if (input.width * input.height <= bound) return input;
    throw new HttpError(
      422,
      `image: ${size.width}x${size.height} would enter the model as ${input.width}x${input.height}, more than ${bound} pixels: crop it, or lower model_input_size (${modelInputSize})`,
    );
  }
}
