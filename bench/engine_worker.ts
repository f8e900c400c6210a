import { depthModule } from '../src/depth/pipeline.ts';
import { engineModule } from '../src/engine/task.ts';
import { serveEngine } from '../src/engine/worker.ts';
import { OpenModels } from '../src/models/open_models.ts';
import { segmentModule } from '../src/segment/pipeline.ts';
import { videoModule } from '../src/video/pipeline.ts';
import { collectTask, exchangeTask } from './engine_tasks.ts';

/** The engine thread of the bench: the server's own, with a task that computes nothing and one that
 * collects garbage, which only the thread itself can do. */
serveEngine((context) => {
  const sam = new OpenModels(context.backend);
  return [
    depthModule(context),
    segmentModule(context, sam),
    videoModule(context, sam),
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
  ];
});
