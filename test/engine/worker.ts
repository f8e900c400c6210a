import { fileURLToPath } from 'node:url';
import { type EngineModule, engineModule } from '../../src/engine/task.ts';
import { serveEngine } from '../../src/engine/worker.ts';
import {
  count,
  crash,
  echo,
  hang,
  native,
  refuse,
  sleep,
  sleepInParts,
  sleepNear,
} from './kinds.ts';

const ATTENTION = fileURLToPath(new URL('../fixtures/depth-parity/metric.onnx', import.meta.url));

/** An engine with modules that misbehave in each way an engine can. */
serveEngine(({ backend, settings, changed, progress }) => {
  const noModels = () => [];
  let counted = 0;
  const modules: EngineModule[] = [
    engineModule(
      echo,
      async (inputs) =>
        inputs.map(({ values }) => ({
          output: { values, batch: inputs.length },
          timings: { run: 1 },
        })),
      noModels,
    ),
    engineModule(
      sleep,
      async (inputs) => {
        await Bun.sleep(Math.max(...inputs.map(({ ms }) => ms)));
        return inputs.map(() => ({ output: inputs.length, timings: {} }));
      },
      noModels,
    ),
    engineModule(
      sleepNear,
      async ([{ ms }]) => {
        await Bun.sleep(ms);
        return [{ output: null, timings: {} }];
      },
      noModels,
      () => ({ sleepers: 1 }),
    ),
    engineModule(
      sleepInParts,
      async ([{ ms, parts }]) => {
        for (let part = 0; part < parts; part++) {
          await Bun.sleep(ms);
          progress();
        }
        return [{ output: null, timings: {} }];
      },
      noModels,
    ),
    engineModule(
      count,
      async ([{ ms }]) => {
        counted++;
        setTimeout(() => {
          counted++;
          changed();
        }, ms);
        return [{ output: settings.featureCache.maxBytes, timings: {} }];
      },
      noModels,
      () => ({ counted }),
    ),
    engineModule(
      refuse,
      () => {
        throw Object.assign(new Error('the model is not installed'), { status: 503 });
      },
      noModels,
    ),
    engineModule(
      hang,
      async (inputs) => {
        // As a native call does, this keeps the thread from hearing anything.
        const end = Date.now() + 4000;
        while (Date.now() < end);
        return inputs.map(() => ({ output: null, timings: {} }));
      },
      noModels,
    ),
    engineModule(
      native,
      async (inputs) => {
        const model = await backend.openModel(ATTENTION);
        const begun = performance.now();
        const side = 1120;
        const image = backend.upload(new Float32Array(3 * side * side), [1, 3, side, side]);
        await model.run({ image }, ['depth']);
        return inputs.map(() => ({ output: performance.now() - begun, timings: {} }));
      },
      noModels,
    ),
    engineModule(
      crash,
      () => {
        setTimeout(() => {
          throw new Error('unhandled');
        }, 0);
        return new Promise(() => {});
      },
      noModels,
    ),
  ];
  return modules;
});
