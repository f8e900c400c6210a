import type { Backend } from '../compute/backend.ts';
import {
  type EngineContext,
  type EngineModule,
  engineModule,
  type TaskOutcome,
  type Timings,
} from '../engine/task.ts';
import { MediaError } from '../media/errors.ts';
import type { LearnedPoseModel } from '../models/pose_contracts.ts';
import { geometricMethod } from './geometric/method.ts';
import { learnedMethod } from './learned/method.ts';
import { MeshCache } from './mesh_cache.ts';
import type { PoseEstimate, PoseMethod, PoseObject } from './method.ts';
import { ReportingModels } from './reporting_models.ts';
import { symmetrySet } from './symmetry.ts';
import { type PoseOutput, type PoseRefusal, type PoseTask, poseTask } from './task.ts';
import { unitProblem } from './unit_check.ts';

/** Object pose in the engine thread: a mesh and a frame → poses. */
export function poseModule({ backend, progress }: EngineContext): EngineModule {
  const engine = new PoseEngine(backend, progress);
  return engineModule(
    poseTask,
    (tasks) => engine.runAll(tasks),
    () => engine.loadedModels(),
  );
}

/** What is kept between tasks on one backend: meshes, and what methods made of them. */
export class PoseEngine {
  private readonly meshes = new MeshCache();
  private readonly models: ReportingModels;
  private readonly geometric: PoseMethod;
  private learned: { readonly key: string; readonly method: PoseMethod } | null = null;

  /** @param progress told of each run of a network */
  constructor(
    private readonly backend: Backend,
    progress: () => void = () => {},
  ) {
    this.models = new ReportingModels(backend, progress);
    this.geometric = geometricMethod(backend);
  }

  loadedModels(): readonly string[] {
    return this.models.names();
  }

  async runAll(tasks: readonly PoseTask[]): Promise<TaskOutcome<PoseOutput>[]> {
    const outcomes: TaskOutcome<PoseOutput>[] = [];
    for (const task of tasks) {
      const timings: Timings = {};
      try {
        outcomes.push({ output: await this.run(task, timings), timings });
      } catch (error) {
        outcomes.push({ error });
      }
    }
    return outcomes;
  }

  private async run(task: PoseTask, timings: Timings): Promise<PoseOutput> {
    const { files, frame, ask, symmetries } = task;
    const started = performance.now();
    const mesh = await refusable('mesh', MediaError, () => this.meshes.read(files));
    timings.mesh = performance.now() - started;
    if ('type' in mesh) return mesh;
    if (ask.type === 'register' && ask.scales) {
      const message = unitProblem(mesh.diameter, frame, ask.mask, ask.scales);
      if (message !== null) return { type: 'refused', part: 'pose', message };
    }
    const set = await refusable('pose', RangeError, async () => symmetrySet(symmetries, mesh));
    if ('type' in set) return named(`${files.prefix}symmetries`, set);
    const begun = performance.now();
    const object = { mesh, symmetries: set };
    const poses = await refusable('pose', RangeError, () => this.find(task, object));
    timings[ask.type] = performance.now() - begun;
    if ('type' in poses) return named(ask.field, poses);
    return { type: 'found', poses, diameter: mesh.diameter };
  }

  private async find(
    { ask, frame, model }: PoseTask,
    object: PoseObject,
  ): Promise<readonly PoseEstimate[]> {
    const method = model ? this.learnedBy(model) : this.geometric;
    if (ask.type === 'register') return method.register(object, frame, ask.mask, ask.options);
    return [await method.track(object, frame, ask.last, ask.options)];
  }

  /** A file that was replaced is another model. */
  private learnedBy(model: LearnedPoseModel): PoseMethod {
    const key = JSON.stringify(model);
    if (this.learned?.key !== key) {
      this.learned = { key, method: learnedMethod(this.backend, this.models, model) };
    }
    return this.learned.method;
  }
}

function named(field: string, refusal: PoseRefusal): PoseRefusal {
  return { ...refusal, message: `${field}: ${refusal.message}` };
}

/** What the caller's data is at fault for becomes an answer; any other failure is ours. */
async function refusable<T>(
  part: PoseRefusal['part'],
  fault: new (...args: never[]) => Error,
  work: () => Promise<T>,
): Promise<T | PoseRefusal> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof fault) return { type: 'refused', part, message: error.message };
    throw error;
  }
}
