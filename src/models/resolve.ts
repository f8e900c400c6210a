import type { DepthDataset, DepthKind } from './contracts.ts';
import { type DepthEncoder, type DepthEntry, PREFERENCE, type Precision } from './entry.ts';
import { ModelNotInstalledError } from './errors.ts';
import { type InstalledModel, installedModels, type ModelStore } from './store.ts';

/** A depth model as a request asks for it. */
export interface DepthRequest {
  readonly encoder: DepthEncoder;
  readonly dataset: DepthDataset;
  readonly kind: DepthKind;
  /** Another one counts as a difference. @default what runs best on `device` */
  readonly precision?: Precision;
  /** What the model will run on. @default 'cpu' */
  readonly device?: 'webgpu' | 'cpu';
  /** Fail rather than let another model stand in. @default false */
  readonly strict?: boolean;
  readonly store: ModelStore;
}

/** The model that answers, and in what it differs from the one asked for. */
export interface ResolvedDepth {
  readonly entry: DepthEntry;
  readonly origin: InstalledModel['origin'];
  /** Absolute path of the graph. */
  readonly file: string;
  /** True when the answer is that of the model asked for. */
  readonly exact: boolean;
  /** Empty when exact. */
  readonly differs: readonly Difference[];
}

type Difference = 'encoder' | 'dataset' | 'precision';

/**
 * Chooses among the installed models of the kind asked for: an exact one of the catalogue, else an
 * exact local file, else the nearest of either (the same data set matters more than the same
 * encoder, because it sets the scale), else the embedded one. Looks at the disk at every call, some
 * tens of microseconds for each installed model, so that a running server sees what was pulled.
 *
 * @throws ModelNotInstalledError where nothing answers, or, when strict, nothing exactly.
 */
export function resolveDepth(request: DepthRequest): ResolvedDepth {
  const [best] = installedModels(request.store)
    .filter(isDepthModel)
    .filter(({ entry }) => answers(entry, request.kind))
    .map((model) => ({ ...model, differs: differences(model.entry, request) }))
    .sort((a, b) => cost(a, request) - cost(b, request));
  if (!best || (request.strict && best.differs.length > 0)) throw notInstalled(request, best);
  return { ...best, file: best.files[0], exact: best.differs.length === 0 };
}

/** The catalogue entry that would answer a request exactly; undefined where none is published. */
function wantedEntry(request: DepthRequest): DepthEntry | undefined {
  return request.store.catalogue
    .filter((entry) => entry.family === 'depth')
    .filter((entry) => entry.embedded === undefined && answers(entry, request.kind))
    .filter((entry) => differences(entry, request).length === 0)
    .sort((a, b) => precisionRank(a, request) - precisionRank(b, request))[0];
}

function isDepthModel(model: InstalledModel): model is InstalledModel<DepthEntry> {
  return model.entry.family === 'depth';
}

function answers(entry: DepthEntry, kind: DepthKind): boolean {
  return entry.kind === kind || (kind === 'relative' && entry.alsoRelative === true);
}

/** A local file that does not say its encoder or data set is near, but never exact. */
function differences(entry: DepthEntry, request: DepthRequest): Difference[] {
  const found: Difference[] = [];
  if (entry.encoder !== request.encoder) found.push('encoder');
  if (request.kind === 'metric' && entry.dataset !== request.dataset) found.push('dataset');
  if (request.precision && entry.precision !== request.precision) found.push('precision');
  return found;
}

type Candidate = InstalledModel<DepthEntry> & { readonly differs: readonly Difference[] };

/** Smaller is better; each weight outdoes all the lighter ones together. */
function cost({ entry, origin, differs }: Candidate, request: DepthRequest): number {
  const embedded = origin === 'embedded' && differs.length > 0;
  return (
    (embedded ? 1000 : 0) +
    (differs.includes('dataset') ? (entry.dataset === undefined ? 200 : 400) : 0) +
    (differs.includes('encoder') ? (entry.encoder === undefined ? 50 : 100) : 0) +
    (differs.includes('precision') ? 20 : 0) +
    (origin === 'local' ? 10 : 0) +
    precisionRank(entry, request)
  );
}

function precisionRank(entry: DepthEntry, { device = 'cpu' }: DepthRequest): number {
  return PREFERENCE[device].indexOf(entry.precision);
}

function notInstalled(request: DepthRequest, best: Candidate | undefined): ModelNotInstalledError {
  const { encoder, kind, dataset, precision } = request;
  const asked = [encoder, kind, kind === 'metric' && dataset, precision].filter(Boolean).join(' ');
  const entry = wantedEntry(request);
  const command = entry ? `bun run models pull ${entry.id}` : 'bun run models list';
  const instead = best ? `; ${best.entry.id} could stand in, but strict mode forbids it` : '';
  return new ModelNotInstalledError(
    `no installed model is ${asked}${instead}. Run \`${command}\``,
    command,
  );
}
