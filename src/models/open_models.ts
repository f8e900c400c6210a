import { LRUCache } from 'lru-cache';
import type { Backend, Model, TensorSpec } from '../compute/backend.ts';
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
  /** Differs between two states of the file. */
  readonly version: number;
  /** Of the file and its external data. */
  readonly bytes: number;
}

/** Captured graphs at a time: each keeps its activations, whatever the size of its file. */
const MAX_CAPTURED = 6;

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
  private readonly captured = new LRUCache<string, Open>({ max: MAX_CAPTURED, dispose: close });
  /** How often a shape was asked for. */
  private readonly asked = new LRUCache<string, number>({ max: 256 });

  /** The free dimensions that shapes fix. */
  private readonly dims = new LRUCache<string, FixedDims>({ max: 256 });

  constructor(
    private readonly backend: Backend,
    maxBytes: number = MAX_OPEN_BYTES,
  ) {
    this.models = new LRUCache<string, Open>({ maxSize: maxBytes, dispose: close });
  }

  /** The graph with its free dimensions free. */
  get(source: ModelSource): Promise<Model> {
    const key = fileKey(source);
    const known = this.models.get(key);
    if (known) return known.model;
    const model = this.backend.openModel(source.file);
    this.models.set(key, { name: source.name, model }, { size: Math.max(1, source.bytes) });
    model.catch(() => this.models.delete(key));
    return model;
  }

  /**
   * The graph for one shape. On WebGPU a shape that keeps coming, as a camera's does, gets a
   * captured graph, if that computes what the free one does; all else gets the free one.
   *
   * @param fixedDims every free dimension by name
   */
  getFor(source: ModelSource, fixedDims: Readonly<Record<string, number>>): Promise<Model> {
    if (this.backend.info.kind === 'cpu') return this.get(source);
    const key = `${fileKey(source)} ${JSON.stringify(fixedDims)}`;
    const times = (this.asked.get(key) ?? 0) + 1;
    this.asked.set(key, times);
    if (times < CAPTURE_AFTER) return this.get(source);
    const known = this.captured.get(key);
    if (known) return known.model;
    const model = this.capture(source, fixedDims);
    this.captured.set(key, { name: source.name, model });
    model.catch(() => this.captured.delete(key));
    return model;
  }

  /**
   * As {@link getFor}, for a graph whose free dimensions are known by the shapes of its inputs.
   *
   * @param shapes of all inputs that have free dimensions, by name
   * @param which `only`: no other shapes will come, so that the free graph's memory is given back
   *   once there is a captured one
   */
  async getForShapes(
    source: ModelSource,
    shapes: Readonly<Record<string, readonly number[]>>,
    which: 'only' | 'one of several' = 'one of several',
  ): Promise<Model> {
    if (this.backend.info.kind === 'cpu') return this.get(source);
    const shapesKey = `${fileKey(source)} ${JSON.stringify(shapes)}`;
    const known = this.dims.get(shapesKey);
    const fixedDims = known ?? fixDims((await this.get(source)).inputs, shapes);
    this.dims.set(shapesKey, fixedDims);
    if (fixedDims === 'unnamed') return this.get(source);
    const model = await this.getFor(source, fixedDims);
    if (which === 'only' && model.reusesOutputs) this.models.delete(fileKey(source));
    return model;
  }

  names(): string[] {
    const open = [...this.models.values(), ...this.captured.values()];
    return [...new Set(open.map(({ name }) => name))];
  }

  /** A captured graph that was checked, or, where capture does not work, one of the same shape. */
  private async capture(
    source: ModelSource,
    fixedDims: Readonly<Record<string, number>>,
  ): Promise<Model> {
    const free = await this.backend.openModel(source.file, { fixedDims });
    let captured: Model | undefined;
    try {
      captured = await this.backend.openModel(source.file, { fixedDims, capture: true });
      if (await replaysTruly(this.backend, captured, free)) {
        await free.dispose();
        return captured;
      }
    } catch {
      // A node that is not on the GPU refuses capture; the graph itself may be sound.
    }
    await captured?.dispose();
    return free;
  }
}

function fileKey({ file, version }: ModelSource): string {
  return `${file} ${version}`;
}

/** Sizes by name, or that some free dimension has no name to fix it by. */
type FixedDims = Readonly<Record<string, number>> | 'unnamed';

function fixDims(
  inputs: readonly TensorSpec[],
  shapes: Readonly<Record<string, readonly number[]>>,
): FixedDims {
  const fixed: Record<string, number> = {};
  for (const { name, dims } of inputs) {
    for (const [axis, dim] of dims.entries()) {
      if (typeof dim === 'number') continue;
      const size = shapes[name]?.[axis];
      if (dim === '' || size === undefined) return 'unnamed';
      fixed[dim] = size;
    }
  }
  return fixed;
}

/** In the background; one that failed to open has nothing to close. */
function close({ model }: Open): void {
  model.then((opened) => opened.dispose()).catch(() => {});
}
