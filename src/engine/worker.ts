import type { Backend } from '../compute/backend.ts';
import { openBackend } from '../compute/open.ts';
import {
  type EngineStatus,
  type FromEngine,
  type ToEngine,
  toWireError,
  transferables,
  type WireResult,
} from './protocol.ts';
import type { EngineContext, EngineModule } from './task.ts';

declare const self: Worker;

/**
 * The engine thread: opens the device, then runs one batch after another. Called once, by the
 * file that the worker is started from, with the modules of all features.
 */
export function serveEngine(createModules: (context: EngineContext) => EngineModule[]): void {
  let engine: Engine | null = null;
  self.onmessage = async ({ data }: MessageEvent<ToEngine>) => {
    if (data.type === 'run') {
      await engine?.run(data);
      return;
    }
    try {
      const { device, threads, settings } = data.options;
      const backend = await openBackend(device, threads);
      const changed = () => engine && post({ type: 'changed', status: engine.status() });
      const progress = () => post({ type: 'progress' });
      engine = new Engine(backend, createModules({ backend, settings, changed, progress }));
      post({ type: 'ready', status: engine.status() });
    } catch (error) {
      post({ type: 'failed', error: toWireError(error) });
    }
  };
}

const LOSS_MS = 20;

function post(message: FromEngine): void {
  self.postMessage(message, transferables(message));
}

class Engine {
  private readonly modules: ReadonlyMap<string, EngineModule>;

  constructor(
    private readonly backend: Backend,
    modules: readonly EngineModule[],
  ) {
    this.modules = new Map(modules.map((module) => [module.kind.name, module]));
    backend.lost
      .then(({ reason, message }) => post({ type: 'lost', message: `${reason}: ${message}` }))
      .catch(() => {});
  }

  status(): EngineStatus {
    const modules = [...this.modules.values()];
    return {
      device: this.backend.info,
      memory: this.backend.memory(),
      modelsLoaded: modules.flatMap((module) => module.loadedModels()),
      figures: Object.assign({}, ...modules.map((module) => module.figures?.())),
    };
  }

  async run({ id, task, inputs }: Extract<ToEngine, { type: 'run' }>): Promise<void> {
    const results = await this.results(task, inputs);
    // A lost device fails its tasks in many words: let the loss be told first, and be the reason.
    if (results.some(({ ok }) => !ok)) await Promise.race([this.backend.lost, Bun.sleep(LOSS_MS)]);
    post({ type: 'done', id, results, status: this.status() });
  }

  private async results(task: string, inputs: readonly unknown[]): Promise<WireResult[]> {
    try {
      const module = this.modules.get(task);
      if (!module) throw new Error(`no engine module runs ${task}`);
      const outcomes = await module.run(inputs);
      return outcomes.map((outcome) =>
        'error' in outcome
          ? { ok: false, error: toWireError(outcome.error) }
          : { ok: true, ...outcome },
      );
    } catch (error) {
      return inputs.map(() => ({ ok: false, error: toWireError(error) }));
    }
  }
}
