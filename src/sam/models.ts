import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DeviceInfo } from '../compute/backend.ts';
import { GENERATIONS, PREFERENCE, type SegmentGeneration } from '../models/entry.ts';
import { ModelError, ModelNotInstalledError } from '../models/errors.ts';
import type { ModelSource } from '../models/open_models.ts';
import type { SegmentFamily, SegmentModel, SegmentNeed } from '../models/segment_contracts.ts';
import {
  inspectSegmentFolder,
  requireTokenizer,
  type SegmentGraph,
  type SegmentSet,
} from '../models/segment_set.ts';
import { installedModels, type ModelStore } from '../models/store.ts';

type Device = 'webgpu' | 'cpu';

export interface SegmentModelRequest {
  readonly need: SegmentNeed;
  /** An id of `models list`. @default SAM 3, in the form that runs best */
  readonly model?: string;
}

/** The model that answers. */
export interface FoundSegmentModel {
  readonly model: SegmentModel;
  /** Of its texts; null for a model that takes none. */
  readonly tokenizerFile: string | null;
  /** Whether it is the one asked for, or stands in. */
  readonly exact: boolean;
}

/** A model that can answer now, as `GET /models/info` shows it. */
export interface InstalledSegmentModel {
  readonly name: string;
  readonly family: SegmentFamily;
  readonly generation: SegmentGeneration;
  readonly answers: readonly SegmentNeed[];
  /** Whether it follows objects through video. */
  readonly follows: boolean;
  /** Side of the square that pictures are stretched to, in pixels. */
  readonly imageSize: number;
  /** The encoder's file. */
  readonly checkpoint: string;
  /** Of all its files. */
  readonly bytes: number;
}

/** The name of the folder that SAM3_CHECKPOINT names. */
const CHECKPOINT = 'sam3-checkpoint';

interface Named {
  readonly id: string;
  readonly generation: SegmentGeneration;
  readonly answers: readonly SegmentNeed[];
}

interface Candidate extends Named {
  readonly folder: string;
  readonly origin: 'checkpoint' | 'catalogue' | 'embedded' | 'local';
  readonly precision: SegmentSet['precision'];
  /** One of the sets of the folder. */
  readonly family: SegmentFamily;
}

/** Whose preference among installed precisions holds: without shader-f16, the CPU's. */
export function preferredDevice({ device }: { readonly device: DeviceInfo | null }): Device {
  return device?.features.includes('shader-f16') ? 'webgpu' : 'cpu';
}

/** Finds the model for a prompt; reads the headers of a folder's graphs once a version. */
export class SegmentModels {
  private readonly known = new Map<string, { state: string; sets: readonly SegmentSet[] }>();

  /**
   * @param options.strict whether a model that is not installed may not be stood in for
   * @param options.checkpoint a folder of ONNX files that goes before all others, or null
   * @throws ModelError where the checkpoint is no such folder, or holds nothing complete.
   */
  constructor(
    private readonly store: ModelStore,
    private readonly options: { readonly strict: boolean; readonly checkpoint: string | null },
  ) {
    if (options.checkpoint !== null) this.sets(options.checkpoint, 'cpu');
  }

  /**
   * The checkpoint where it has the capability, else the best that is installed: SAM 3 before
   * SAM 2.1, EdgeTAM and the embedded model; one that answers both needs before one that answers
   * one, since a picture is then encoded once; the precision that the device runs best.
   *
   * @param device what the model will run on
   * @throws ModelNotInstalledError when nothing answers, or nothing exactly in strict mode;
   *   ModelError `unknown-model` for an id that is none, `usage` for a model without the capability.
   */
  find({ need, model }: SegmentModelRequest, device: Device): FoundSegmentModel {
    const all = this.candidates(device);
    const named = model === undefined ? undefined : this.named(model, need, all);
    const [best] = all.filter(({ answers }) => answers.includes(need)).sort(better(device, named));
    const exact = best !== undefined && isExact(best, model);
    if (!best || (this.options.strict && !exact)) {
      throw this.notInstalled({ need, model }, device, best);
    }
    const set = this.sets(best.folder, device).find(({ family }) => family === best.family);
    if (!set) throw new ModelError('unknown-graph', `${best.folder} has changed; ask again`);
    if (need === 'concept') requireTokenizer(best.folder, set);
    return { model: describe(best.id, set), tokenizerFile: set.tokenizerFile, exact };
  }

  /**
   * The model that follows objects through video: the checkpoint, else the best that is installed, or
   * the one asked for.
   *
   * @throws ModelNotInstalledError when none can; ModelError `unknown-model` for an id that is none,
   *   `usage` for a model that cannot.
   */
  findForVideo(model: string | undefined, device: Device): FoundSegmentModel {
    const able = this.candidates(device)
      .sort(better(device))
      .flatMap((candidate) => {
        const set = this.readable(candidate, device);
        return set?.video ? [{ ...candidate, set }] : [];
      });
    const found = able.find(({ id }) => model === undefined || id === model);
    const exact = found !== undefined && isExact(found, model);
    if (found && (exact || !this.options.strict)) {
      const { id, set } = found;
      return { model: describe(id, set), tokenizerFile: set.tokenizerFile, exact };
    }
    if (model !== undefined && !found && able.length > 0) throw this.notForVideo(model, able);
    throw new ModelNotInstalledError(
      'no installed model follows objects through video: that takes memory-attention.onnx, ' +
        'memory-encoder.onnx and mask-prompt.onnx beside the other graphs. Export SAM 3 with ' +
        'models/export/sam3.py, and start the server with its folder as SAM3_CHECKPOINT, or pull ' +
        'EdgeTAM with its video graphs',
      'bun run models pull edgetam-video',
    );
  }

  private notForVideo(model: string, able: readonly Named[]): ModelError {
    const isKnown = this.store.catalogue.some(({ id }) => id === model);
    const names = able.map(({ id }) => id).join(', ');
    return isKnown
      ? new ModelError('usage', `${model} does not follow objects; these do: ${names}`)
      : new ModelError('unknown-model', `no model is called "${model}"; there are ${names}`);
  }

  /** Everything that can answer now, the best first; what cannot be read is left out. */
  installed(device: Device): InstalledSegmentModel[] {
    return this.candidates(device)
      .sort(better(device))
      .flatMap((candidate) => {
        const set = this.readable(candidate, device);
        return set ? [summarise(candidate.id, set)] : [];
      });
  }

  private candidates(device: Device): Candidate[] {
    const { checkpoint } = this.options;
    const configured = checkpoint === null ? [] : this.sets(checkpoint, device);
    const installed = installedModels(this.store).flatMap(({ entry, origin, folder }) => {
      if (entry.family !== 'segment') return [];
      const { id, generation, answers, precision, contract: family } = entry;
      return [{ id, folder, origin, generation, answers, precision, family }];
    });
    return [
      ...configured.map((set) => ({
        ...set,
        id: CHECKPOINT,
        folder: resolve(checkpoint ?? ''),
        origin: 'checkpoint' as const,
      })),
      ...installed,
    ];
  }

  private sets(folder: string, device: Device): readonly SegmentSet[] {
    const key = `${device} ${folder}`;
    const state = folderState(folder);
    const known = this.known.get(key);
    if (known?.state === state) return known.sets;
    const sets = inspectSegmentFolder(folder, device);
    this.known.set(key, { state, sets });
    return sets;
  }

  private readable({ folder, family }: Candidate, device: Device): SegmentSet | undefined {
    try {
      return this.sets(folder, device).find((set) => set.family === family);
    } catch (error) {
      if (error instanceof ModelError) return undefined;
      throw error;
    }
  }

  /** The model of an id, installed or not. */
  private named(id: string, need: SegmentNeed, all: readonly Candidate[]): Named {
    const listed = this.store.catalogue.filter((entry) => entry.family === 'segment');
    const known: readonly Named[] = [...all, ...listed];
    const able = known.filter(({ answers }) => answers.includes(need));
    const found = able.find((one) => one.id === id);
    if (found) return found;
    const names = [...new Set(able.map((one) => one.id))].join(', ');
    if (!known.some((one) => one.id === id)) {
      throw new ModelError('unknown-model', `no model is called "${id}"; there are ${names}`);
    }
    throw new ModelError('usage', `${id} does not answer ${PROMPTS[need]}; these do: ${names}`);
  }

  private notInstalled(
    { need, model }: SegmentModelRequest,
    device: Device,
    best: Candidate | undefined,
  ): ModelNotInstalledError {
    const rank = (precision: SegmentSet['precision']) => PREFERENCE[device].indexOf(precision);
    const [wanted] = this.store.catalogue
      .filter((entry) => entry.family === 'segment')
      .filter(({ embedded, answers }) => embedded === undefined && answers.includes(need))
      .filter(({ id, generation }) => (model === undefined ? generation === 'sam3' : id === model))
      .sort((a, b) => rank(a.precision) - rank(b.precision));
    const command = wanted ? `bun run models pull ${wanted.id}` : 'bun run models list';
    const instead = best ? `; ${best.id} could stand in, but strict mode forbids it` : '';
    return new ModelNotInstalledError(
      `no installed model is ${model ?? 'SAM 3'} for ${PROMPTS[need]}${instead}. Run \`${command}\``,
      command,
    );
  }
}

/** Whether a model is the one asked for: without a name, SAM 3. */
function isExact({ id, origin, generation }: Candidate, asked: string | undefined): boolean {
  if (asked !== undefined) return id === asked;
  return origin === 'checkpoint' || generation === 'sam3';
}

const PROMPTS: Readonly<Record<SegmentNeed, string>> = {
  concept: 'texts and exemplar boxes',
  click: 'clicks and boxes on one object',
};

/** Orders the best first; what is alike by its id, so that the disk's order does not decide. */
function better(device: Device, wanted?: Named): (a: Candidate, b: Candidate) => number {
  return (a, b) => cost(a, device, wanted) - cost(b, device, wanted) || (a.id < b.id ? -1 : 1);
}

/** Smaller is better; each weight outdoes all the lighter ones together. */
function cost(candidate: Candidate, device: Device, wanted?: Named): number {
  const { id, origin, generation, answers, precision } = candidate;
  return (
    (id === wanted?.id ? 0 : 100_000) +
    (generation === wanted?.generation ? 0 : 50_000) +
    (origin === 'checkpoint' ? 0 : 10_000) +
    GENERATIONS.indexOf(generation) * 1000 +
    (answers.length > 1 ? 0 : 100) +
    (origin === 'local' ? 10 : 0) +
    PREFERENCE[device].indexOf(precision)
  );
}

function describe(name: string, set: SegmentSet): SegmentModel {
  const { family, imageSize, mean, std, encoder, concept, click, video } = set;
  return {
    name,
    family,
    imageSize,
    mean,
    std,
    encoder: source(name, encoder),
    concept: concept && {
      text: source(name, concept.text),
      decoder: source(name, concept.decoder),
    },
    click: click && { decoder: source(name, click.decoder) },
    video: video && {
      attention: source(name, video.attention),
      memory: source(name, video.memory),
      maskPrompt: video.maskPrompt && source(name, video.maskPrompt),
      edgetam: video.edgetam && {
        decoder: source(name, video.edgetam.decoder),
        bank: video.edgetam.bank,
      },
      sizes: video.sizes,
    },
  };
}

function source(name: string, { file, externalFiles }: SegmentGraph): ModelSource {
  const stats = [file, ...externalFiles].map((path) => statSync(path));
  return {
    name,
    file,
    version: stats.reduce((sum, { mtimeMs }) => sum + mtimeMs, 0),
    bytes: stats.reduce((sum, { size }) => sum + size, 0),
  };
}

function summarise(name: string, set: SegmentSet): InstalledSegmentModel {
  const { family, generation, answers, imageSize, encoder, files, video } = set;
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const checkpoint = encoder.file;
  const follows = video !== null;
  return { name, family, generation, answers, follows, imageSize, checkpoint, bytes };
}

/** Differs when any file of the folder does. */
function folderState(folder: string): string {
  return [folder, join(folder, 'onnx')]
    .flatMap((place) => {
      try {
        return readdirSync(place).map((name) => join(place, name));
      } catch {
        return [];
      }
    })
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return `${path} ${stat?.mtimeMs} ${stat?.size}`;
    })
    .join('\n');
}
