import type { Backend, Model } from '../compute/backend.ts';
import { type ModelSource, OpenModels } from '../models/open_models.ts';

/**
 * Open models that tell when one of them has run: a registration runs two networks some dozen times,
 * which on a CPU takes longer than the watchdog waits for a task that says nothing.
 */
export class ReportingModels extends OpenModels {
  constructor(
    backend: Backend,
    private readonly progress: () => void,
  ) {
    super(backend);
  }

  override async get(source: ModelSource): Promise<Model> {
    const model = await super.get(source);
    return {
      inputs: model.inputs,
      outputs: model.outputs,
      reusesOutputs: model.reusesOutputs,
      run: async (feeds, wanted) => {
        const results = await model.run(feeds, wanted);
        this.progress();
        return results;
      },
      dispose: () => model.dispose(),
    };
  }
}
