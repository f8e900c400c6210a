import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { PREFERENCE, type Precision } from './entry.ts';
import { ModelError } from './errors.ts';
import { requireExternalFiles, weightPrecision } from './graph_check.ts';
import { readOnnxHeader } from './onnx_header.ts';
import {
  KNOWN_POSE_INPUTS,
  type PoseContract,
  type RefinerTensors,
  recognisePose,
  type ScorerTensors,
} from './pose_contracts.ts';

type Tensors = RefinerTensors | ScorerTensors;

/** One graph of a pair. */
interface PoseFile<T extends Tensors> {
  /** Absolute path, then those of the files beside it that hold weights. */
  readonly files: readonly [string, ...string[]];
  readonly precision: Precision;
  readonly tensors: T;
}

/** A refiner and a scorer of one contract. */
export interface PoseSet {
  readonly contract: PoseContract;
  /** Of the refiner. */
  readonly precision: Precision;
  readonly refiner: PoseFile<RefinerTensors>;
  readonly scorer: PoseFile<ScorerTensors>;
  /** All files that it is made of, the refiner's graph first. */
  readonly files: readonly string[];
}

/** Where the graphs of a folder lie: in it, or in its `onnx`. */
const GRAPH_FOLDERS = ['.', 'onnx'];

type Graph = PoseFile<Tensors> & { readonly contract: PoseContract };

/** What a folder has of pose models. */
interface Found {
  readonly graphs: readonly Graph[];
  /** Of graphs that only have the names, a line each. */
  readonly problems: readonly string[];
}

/** Whether a folder has any graph whose inputs are called as a pose model's. */
export function hasPoseGraphs(folder: string): boolean {
  const { graphs, problems } = readPoseGraphs(resolve(folder));
  return graphs.length + problems.length > 0;
}

/**
 * The pair in a folder of ONNX files, by the names, types and shapes of their inputs and outputs. Of
 * several graphs for one part, the one of the precision that the device prefers is taken.
 *
 * @throws ModelError `not-found` without the folder or a weight file, `format` for a broken file,
 *   `unknown-graph` unless it is one complete pair, saying what was found and what is missing.
 */
export function inspectPoseFolder(folder: string, device: 'webgpu' | 'cpu'): PoseSet {
  const root = resolve(folder);
  const found = readPoseGraphs(root);
  const contracts = [...new Set(found.graphs.map(({ contract }) => contract))];
  const pairs = contracts.flatMap((contract) => {
    const own = found.graphs.filter((graph) => graph.contract === contract);
    const refiner = best(own.flatMap(asRefiner), device);
    const scorer = best(own.flatMap(asScorer), device);
    return refiner && scorer ? [pairOf(contract, refiner, scorer)] : [];
  });
  if (pairs.length === 1) return pairs[0];
  throw new ModelError('unknown-graph', notAPair(root, pairs, found));
}

function pairOf(
  contract: PoseContract,
  refiner: PoseFile<RefinerTensors>,
  scorer: PoseFile<ScorerTensors>,
): PoseSet {
  const files = [...refiner.files, ...scorer.files];
  return { contract, precision: refiner.precision, refiner, scorer, files };
}

function asRefiner({ tensors, ...graph }: Graph): PoseFile<RefinerTensors>[] {
  return tensors.part === 'refiner' ? [{ ...graph, tensors }] : [];
}

function asScorer({ tensors, ...graph }: Graph): PoseFile<ScorerTensors>[] {
  return tensors.part === 'scorer' ? [{ ...graph, tensors }] : [];
}

function best<G extends PoseFile<Tensors>>(graphs: readonly G[], device: 'webgpu' | 'cpu') {
  const rank = ({ precision }: G) => PREFERENCE[device].indexOf(precision);
  return graphs.toSorted((a, b) => rank(a) - rank(b)).at(0);
}

function readPoseGraphs(root: string): Found {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ModelError(
      'not-found',
      `${root} is no folder; the folder of a refiner's and a scorer's ONNX file is expected`,
    );
  }
  const graphs: Graph[] = [];
  const problems: string[] = [];
  for (const file of onnxFiles(root)) {
    const header = readOnnxHeader(file);
    const recognised = recognisePose(header);
    if (!recognised) continue;
    if ('problem' in recognised) problems.push(`${basename(file)}: ${recognised.problem}`);
    else {
      const files: PoseFile<Tensors>['files'] = [file, ...requireExternalFiles(file, header)];
      graphs.push({ ...recognised, files, precision: weightPrecision(header) });
    }
  }
  return { graphs, problems };
}

function onnxFiles(root: string): string[] {
  return GRAPH_FOLDERS.map((name) => join(root, name))
    .filter((place) => statSync(place, { throwIfNoEntry: false })?.isDirectory())
    .flatMap((place) =>
      readdirSync(place)
        .filter((name) => name.endsWith('.onnx'))
        .sort()
        .map((name) => join(place, name)),
    );
}

function notAPair(root: string, pairs: readonly PoseSet[], found: Found): string {
  if (pairs.length > 1) {
    const names = pairs.map(({ contract }) => contract).join(' and ');
    return `${root} holds ${names}; one pose model is expected, put each into a folder of its own`;
  }
  const listed = [
    ...found.graphs.map(
      ({ files, contract, tensors }) => `${basename(files[0])}: ${contract} ${tensors.part}`,
    ),
    ...found.problems,
  ];
  const has =
    listed.length === 0
      ? `no graph with the inputs ${KNOWN_POSE_INPUTS}`
      : listed.map((line) => `\n  ${line}`).join('');
  return (
    `${root} holds no complete pose model; expected are the ONNX files of a refiner and of a ` +
    `scorer with the same inputs. It has ${has}`
  );
}
