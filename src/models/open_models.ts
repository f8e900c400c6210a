import { LRUCache } from 'lru-cache';
import type { Backend, Model, ModelOptions } from '../compute/backend.ts';

/** Bytes of graphs and weights kept open in one engine, at most. */
const MAX_OPEN_BYTES = 8 * 2 ** 30;

/** An opened graph and what opening it was asked for. */
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

  /** @param bytes size of the file and its weights */
  get(name: string, file: string, bytes: number, options: ModelOptions = {}): Promise<Model> {
    const key = `${file} ${JSON.stringify(options)}`;
    const known = this.models.get(key);
    if (known) return known.model;
    const model = this.backend.openModel(file, options);
    this.models.set(key, { name, model }, { size: Math.max(1, bytes) });
    model.catch(() => this.models.delete(key));
    return model;
  }

  names(): string[] {
    return [...new Set([...this.models.values()].map(({ name }) => name))];
  }
}
