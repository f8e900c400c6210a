import type { CatalogueEntry, DepthEntry, PoseEntry, SegmentEntry } from './entry.ts';
import { ModelError } from './errors.ts';
import { externalFiles, inspectDepthGraph } from './graph_check.ts';
import { inspectPoseFolder } from './pose_set.ts';
import { inspectSegmentFolder } from './segment_set.ts';

/** The files of one model, as absolute paths. */
interface ModelFiles {
  /** Holds the graphs. */
  readonly folder: string;
  /** All that are known, a graph first. */
  readonly files: readonly string[];
}

/**
 * Reads the graphs of a model and holds them against its entry.
 *
 * @returns for a person: what they are
 * @throws ModelError `format`, `not-found`, or `unknown-graph` where they are something else.
 */
export function checkModel(entry: CatalogueEntry, model: ModelFiles): string {
  switch (entry.family) {
    case 'depth':
      return checkDepth(entry, model);
    case 'segment':
      return checkSegment(entry, model);
    case 'pose':
      return checkPose(entry, model);
  }
}

function checkDepth(entry: DepthEntry, { files }: ModelFiles): string {
  const [graph] = files;
  const { header, contract } = inspectDepthGraph(graph, entry);
  requireKnown(graph, externalFiles(graph, header), files);
  return `${contract.id} ${contract.kind} depth`;
}

function checkSegment(entry: SegmentEntry, { folder, files }: ModelFiles): string {
  const sets = inspectSegmentFolder(folder, 'cpu');
  const set = sets.find(({ family }) => family === entry.contract);
  const lacking = entry.answers.filter((need) => !set?.answers.includes(need));
  if (!set || lacking.length > 0) {
    const found = sets.map(({ family, answers }) => `${family} for ${answers.join(' and ')}`);
    throw new ModelError(
      'unknown-graph',
      `${folder} holds ${found.join('; ')}; ${entry.id} is expected to be ${entry.contract} ` +
        `for ${entry.answers.join(' and ')}`,
    );
  }
  requireKnown(set.encoder.file, set.files, files);
  return `${set.family} segmentation, ${set.answers.join(' and ')}, ${set.imageSize}²`;
}

function checkPose(entry: PoseEntry, { folder, files }: ModelFiles): string {
  const { contract, refiner, files: used } = inspectPoseFolder(folder, 'cpu');
  if (contract !== entry.contract) {
    throw new ModelError(
      'unknown-graph',
      `${folder} holds ${contract} graphs; ${entry.id} is expected to be ${entry.contract}`,
    );
  }
  requireKnown(refiner.files[0], used, files);
  return `${contract} pose, refiner and scorer`;
}

function requireKnown(graph: string, used: readonly string[], known: readonly string[]): void {
  const missing = used.find((path) => !known.includes(path));
  if (missing === undefined) return;
  throw new ModelError(
    'format',
    `${graph} needs ${missing}, which is none of the files that the model is known to have`,
  );
}
