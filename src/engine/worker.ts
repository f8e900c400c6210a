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
      const backend = await openBackend(data.options.device, data.options.threads);
      engine = new Engine(backend, createModules({ backend }));
      post({ type: 'ready', status: engine.status() });
    } catch (error) {
      post({ type: 'failed', error: toWireError(error) });
    }
  };
}

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
    const modelsLoaded = [...this.modules.values()].flatMap((module) => module.loadedModels());
    return { device: this.backend.info, memory: this.backend.memory(), modelsLoaded };
  }

  async run({ id, task, inputs }: Extract<ToEngine, { type: 'run' }>): Promise<void> {
    const results = await this.results(task, inputs);
    post({ type: 'done', id, results, status: this.status() });
  }

  private async results(task: string, inputs: readonly unknown[]): Promise<WireResult[]> {
    try {
      const module = this.modules.get(task);
      if (!module) throw new Error(`no engine module runs ${task}`);
      const results = await module.run(inputs);
      return results.map(({ output, timings }) => ({ ok: true, output, timings }));
    } catch (error) {
      return inputs.map(() => ({ ok: false, error: toWireError(error) }));
    }
  }
}
