import { depthModule } from '../src/depth/pipeline.ts';
import { engineModule } from '../src/engine/task.ts';
import { serveEngine } from '../src/engine/worker.ts';
import { collectTask, exchangeTask } from './engine_tasks.ts';

/** The engine thread of the bench: the server's own, with a task that computes nothing and one that
 * collects garbage, which only the thread itself can do. */
serveEngine((context) => [
  depthModule(context),
  engineModule(
    exchangeTask,
    async (inputs) => inputs.map(({ output }) => ({ output, timings: {} })),
    () => [],
  ),
  engineModule(
    collectTask,
    async () => {
      Bun.gc(true);
      return [{ output: null, timings: {} }];
    },
    () => [],
  ),
]);
