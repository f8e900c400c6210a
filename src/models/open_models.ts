import { LRUCache } from 'lru-cache';
import type { Backend, Model } from '../compute/backend.ts';
import { replaysTruly } from './capture_check.ts';

/** Bytes of graphs and weights kept open in one engine, at most. */
const MAX_OPEN_BYTES = 8 * 2 ** 30;

/** A size is captured when it is asked for this often: its weights are loaded once more. */
const CAPTURE_AFTER = 3;

/** A graph file to open. */
export interface ModelSource {
  /** As `/health` shows it. */
  readonly name: string;
  readonly file: string;
  /** Of the file and its external data. */
  readonly bytes: number;
}

interface Open {
  readonly name: string;
  readonly model: Promise<Model>;
}

/**
 * The models an engine has open: opened on first use, the least recently used closed when their
 * files together pass a bound.
 */
export class OpenModels {
  private readonly models: LRUCache<string, Open>;
  /** How often a shape was asked for. */
  private readonly asked = new LRUCache<string, number>({ max: 256 });

  constructor(
    private readonly backend: Backend,
    maxBytes: number = MAX_OPEN_BYTES,
  ) {
    this.models = new LRUCache<string, Open>({
      maxSize: maxBytes,
      dispose: ({ model }) => {
        // Closed in the background; one that failed to open has nothing to close.
        model.then((opened) => opened.dispose()).catch(() => {});
      },
    });
  }

  /** The graph with its free dimensions free. */
  get(source: ModelSource): Promise<Model> {
    return this.opened(source.file, source, () => this.backend.openModel(source.file));
  }

  /**
   * The graph for one shape. On WebGPU a shape that keeps coming, as a camera's does, gets a
   * captured graph, if that computes what the free one does; all else gets the free one.
   *
   * @param fixedDims every free dimension by name
   */
  getFor(source: ModelSource, fixedDims: Readonly<Record<string, number>>): Promise<Model> {
    if (this.backend.info.kind === 'cpu') return this.get(source);
    const key = `${source.file} ${JSON.stringify(fixedDims)}`;
    const times = (this.asked.get(key) ?? 0) + 1;
    this.asked.set(key, times);
    if (times < CAPTURE_AFTER) return this.get(source);
    return this.opened(key, source, () => this.capture(source, fixedDims));
  }

  names(): string[] {
    return [...new Set([...this.models.values()].map(({ name }) => name))];
  }

  private opened(key: string, source: ModelSource, open: () => Promise<Model>): Promise<Model> {
    const known = this.models.get(key);
    if (known) return known.model;
    const model = open();
    this.models.set(key, { name: source.name, model }, { size: Math.max(1, source.bytes) });
    model.catch(() => this.models.delete(key));
    return model;
  }

  private async capture(
    source: ModelSource,
    fixedDims: Readonly<Record<string, number>>,
  ): Promise<Model> {
    const free = await this.backend.openModel(source.file, { fixedDims });
    const captured = await this.backend.openModel(source.file, { fixedDims, capture: true });
    if (await replaysTruly(this.backend, captured, free)) {
      await free.dispose();
      return captured;
    }
    await captured.dispose();
    return free;
  }
}
