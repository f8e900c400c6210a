import { statSync } from 'node:fs';
import { PREFERENCE } from '../models/entry.ts';
import { ModelError } from '../models/errors.ts';
import type { ModelSource } from '../models/open_models.ts';
import type { LearnedPoseModel } from '../models/pose_contracts.ts';
import { inspectPoseFolder } from '../models/pose_set.ts';
import { installedModels, type ModelStore } from '../models/store.ts';

type Device = 'webgpu' | 'cpu';

/** Finds a learned pose model that is installed; reads the headers of its graphs once a version. */
export class PoseModels {
  private readonly known = new Map<string, LearnedPoseModel | ModelError>();

  constructor(private readonly store: ModelStore) {}

  /**
   * The best that is installed: what was pulled before folders of the user's own, then the precision
   * that the device runs best, then the first id. One whose files cannot be read is passed over.
   *
   * @param device what the model will run on
   * @returns null where none is installed, so that the geometric method answers
   */
  find(device: Device): LearnedPoseModel | null {
    for (const { model } of this.readAll(device)) {
      if (!(model instanceof ModelError)) return model;
    }
    return null;
  }

  /** Names the first that is installed and cannot be used; null where there is none. */
  problem(device: Device): string | null {
    for (const { id, model } of this.readAll(device)) {
      if (!(model instanceof ModelError)) continue;
      return `${id} is installed and cannot be used: \`bun run models verify ${id}\` says why`;
    }
    return null;
  }

  /** The best first; each is read when it is asked for. */
  private *readAll(device: Device) {
    const candidates = installedModels(this.store)
      .flatMap(({ entry, origin, folder, files }) =>
        entry.family === 'pose' ? [{ id: entry.id, entry, origin, folder, files }] : [],
      )
      .sort((a, b) => cost(a, device) - cost(b, device) || (a.id < b.id ? -1 : 1));
    for (const { id, folder, files } of candidates) {
      yield { id, model: this.read(id, folder, files, device) };
    }
  }

  private read(
    id: string,
    folder: string,
    files: readonly string[],
    device: Device,
  ): LearnedPoseModel | ModelError {
    const state = files.map(
      (file) => `${file} ${statSync(file, { throwIfNoEntry: false })?.mtimeMs}`,
    );
    const key = [device, id, ...state].join('\n');
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const model = describe(id, folder, device);
    this.known.set(key, model);
    return model;
  }
}

interface Candidate {
  readonly entry: { readonly precision: (typeof PREFERENCE)[Device][number] };
  readonly origin: string;
}

/** Smaller is better. */
function cost({ entry, origin }: Candidate, device: Device): number {
  return (origin === 'local' ? 10 : 0) + PREFERENCE[device].indexOf(entry.precision);
}

function describe(name: string, folder: string, device: Device): LearnedPoseModel | ModelError {
  try {
    const { contract, refiner, scorer } = inspectPoseFolder(folder, device);
    return {
      name,
      contract,
      refiner: { source: source(name, refiner.files), tensors: refiner.tensors },
      scorer: { source: source(name, scorer.files), tensors: scorer.tensors },
    };
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
}

function source(name: string, files: readonly [string, ...string[]]): ModelSource {
  const stats = files.map((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat) return stat;
    throw new ModelError('not-found', `${path} is gone; verify ${name}, or pull it again`);
  });
  return {
    name,
    file: files[0],
    version: stats.reduce((sum, { mtimeMs }) => sum + mtimeMs, 0),
    bytes: stats.reduce((sum, { size }) => sum + size, 0),
  };
}
