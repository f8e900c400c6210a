import { depthModule } from './depth/pipeline.ts';
import { serveEngine } from './engine/worker.ts';

/** The engine thread's program: the modules of all features. */
serveEngine((context) => [depthModule(context)]);
