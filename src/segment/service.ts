import { availableParallelism } from 'node:os';
import { HttpError } from '../api/errors.ts';
import { Gate } from '../api/gate.ts';
import type { EnginePool } from '../engine/pool.ts';
import type { TaskResult, Timings } from '../engine/task.ts';
import type { RgbImage } from '../media/image.ts';
import { drawOverlay } from '../media/overlay.ts';
import { type ImageSource, loadImage, type SourceLimits } from '../media/source.ts';
import { preferredDevice, type SegmentModels } from '../sam/models.ts';
import type { PlannedPrompt } from '../sam/prompts.ts';
import { tokenised } from '../sam/tokenised.ts';
import type { SegmentedMask, Size } from '../sam/types.ts';
import { pixelKey } from './image_key.ts';
import { modelsFor, type Share } from './shares.ts';
import { type SegmentOutput, type SegmentTask, segmentTask } from './task.ts';

/** What a route asks of the service, defaults filled in. */
export interface SegmentQuery {
  /** As it was sent; or decoded, which is left as it is. */
  readonly source: ImageSource | RgbImage;
  readonly prompts: readonly PlannedPrompt[];
  /** Masks of a lower score are left out; null is the server's own threshold. */
  readonly threshold: number | null;
  /** Id of the model to use; null takes the best installed one. */
  readonly model: string | null;
  /** Whether the picture is wanted, with the masks drawn over it. */
  readonly draws: boolean;
}

/** One mask and the prompt of the request that it answers. */
export interface AnsweredMask extends Omit<SegmentedMask, 'prompt'> {
  readonly prompt: PlannedPrompt;
}

export interface SegmentResult {
  /** In the request's order of prompts, of one prompt the best score first. */
  readonly masks: readonly AnsweredMask[];
  readonly size: Size;
  /** PNG of the picture with the masks drawn over it, where it was wanted. */
  readonly overlay: Uint8Array<ArrayBuffer> | null;
  /** Whether all features were there already. */
  readonly cacheHit: boolean;
  readonly model: string;
  /** Whether that is the model asked for. */
  readonly exact: boolean;
  readonly timings: Timings;
  /** Milliseconds from the query to its masks. */
  readonly elapsedMs: number;
}

export interface SegmentServiceOptions {
  readonly pool: EnginePool;
  readonly models: SegmentModels;
  readonly limits: SourceLimits;
  /** Where a query has none. */
  readonly threshold: number;
  readonly queueTimeoutMs: number;
}

/** Pixels a side, as for depth: positions must fit the kernels' 32-bit numbers. */
const MAX_SIDE = 16_384;

/** Image and prompts → masks: decodes and tokenises here, computes in the engine. */
export class SegmentService {
  /** Decoding runs in threads of its own; more at a time would only hold more pictures. */
  private readonly decoding = new Gate(availableParallelism(), 64);
  /** So does what compresses a drawn picture. */
  private readonly drawing = new Gate(availableParallelism(), 64);

  constructor(private readonly options: SegmentServiceOptions) {}

  /**
   * @throws HttpError 422 for an image of too many pixels a side
   * @throws MediaError for a bad image
   * @throws EngineError when there is no answer from the engine
   * @throws ModelNotInstalledError when no installed model takes the prompts
   */
  async segment(query: SegmentQuery, signal?: AbortSignal): Promise<SegmentResult> {
    const started = performance.now();
    const { pool, models } = this.options;
    pool.checkCapacity();
    const shares = modelsFor(query, models, preferredDevice(pool));
    const image = await this.decoding.run(() => this.load(query.source, signal));
    const read = performance.now();
    const imageKey = await pixelKey(image);
    const hashed = performance.now();
    const size = { width: image.width, height: image.height };
    // The engine gets the picture itself.
    const pixels = query.draws ? image.data.slice() : null;
    const results = await this.runAll(shares, query, { ...image, imageKey }, signal);
    const elapsedMs = performance.now() - started;
    const masks = merge(shares, results);
    const overlay = pixels && (await this.drawing.run(() => draw(pixels, size, masks)));
    // In the engine `encode` and `decode` are the model's two halves.
    const timings: Timings = { read: read - started, hash: hashed - read, ...addTimings(results) };
    if (overlay) timings.draw = performance.now() - started - elapsedMs;
    return {
      masks,
      size,
      overlay,
      cacheHit: results.every(({ output }) => output.cacheHit),
      model: shares.map(({ model }) => model.name).join(' + '),
      exact: shares.every(({ exact }) => exact),
      timings,
      elapsedMs,
    };
  }

  private async load(source: ImageSource | RgbImage, signal?: AbortSignal): Promise<RgbImage> {
    const image =
      'data' in source
        ? { ...source, data: source.data.slice() }
        : await loadImage(source, this.options.limits, signal);
    if (Math.max(image.width, image.height) <= MAX_SIDE) return image;
    throw new HttpError(
      422,
      `image: ${image.width}x${image.height}; at most ${MAX_SIDE} pixels a side are taken: crop it`,
    );
  }

  /** Each model's share at once; when one fails, those that still wait are withdrawn. */
  private async runAll(
    shares: readonly Share[],
    query: SegmentQuery,
    { data, width, height, imageKey }: RgbImage & { readonly imageKey: string },
    signal?: AbortSignal,
  ): Promise<TaskResult<SegmentOutput>[]> {
    const { pool, queueTimeoutMs, threshold } = this.options;
    const prompts = await Promise.all(
      shares.map(({ prompts, tokenizerFile }) => tokenised(prompts, tokenizerFile)),
    );
    // A task's pixels are transferred: all but one get a copy.
    const tasks = shares.map(
      ({ model }, i): SegmentTask => ({
        model,
        pixels: i === 0 ? data : data.slice(),
        size: { width, height },
        imageKey,
        prompts: prompts[i],
        threshold: query.threshold ?? threshold,
      }),
    );
    const failed = new AbortController();
    const options = {
      signal: signal ? AbortSignal.any([signal, failed.signal]) : failed.signal,
      deadlineMs: queueTimeoutMs,
    };
    try {
      return await Promise.all(tasks.map((task) => pool.submit(segmentTask, task, options)));
    } finally {
      failed.abort();
    }
  }
}

function draw(
  pixels: Uint8Array,
  size: Size,
  masks: readonly AnsweredMask[],
): Promise<Uint8Array<ArrayBuffer>> {
  const objects = masks.map(({ counts, score, box, prompt: { label } }) => ({
    counts,
    score,
    box,
    label,
  }));
  return drawOverlay({ pixels, ...size, objects });
}

/** The request's order of prompts; the engine keeps the order within one. */
function merge(
  shares: readonly Share[],
  results: readonly TaskResult<SegmentOutput>[],
): AnsweredMask[] {
  return results
    .flatMap(({ output }, i) =>
      output.masks.map((mask) => ({ ...mask, prompt: shares[i].prompts[mask.prompt] })),
    )
    .sort((a, b) => a.prompt.index - b.prompt.index);
}

/** Two models take turns on an engine: their stages add up. */
function addTimings(results: readonly TaskResult<SegmentOutput>[]): Timings {
  const sum: Timings = {};
  for (const { timings } of results) {
    for (const [stage, ms] of Object.entries(timings)) sum[stage] = (sum[stage] ?? 0) + ms;
  }
  return sum;
}
