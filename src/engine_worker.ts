import { depthModule } from './depth/pipeline.ts';
import { serveEngine } from './engine/worker.ts';
import { OpenModels } from './models/open_models.ts';
import { poseModule } from './pose/pipeline.ts';
import { segmentModule } from './segment/pipeline.ts';
import { videoModule } from './video/pipeline.ts';

/** The engine thread's program: the modules of all features. */
serveEngine((context) => {
  // One SAM 3 serves pictures and video.
  const sam = new OpenModels(context.backend);
  return [
    depthModule(context),
    segmentModule(context, sam),
    videoModule(context, sam),
    poseModule(context),
  ];
});
