import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { listTensors } from './contracts.ts';
import { BANK_POINTERS, type FixedBank, readFixedBank } from './edgetam_parameters.ts';
import { PREFERENCE, type Precision, type SegmentGeneration } from './entry.ts';
import { ModelError } from './errors.ts';
import { requireExternalFiles, weightPrecision } from './graph_check.ts';
import { type OnnxHeader, readOnnxHeader } from './onnx_header.ts';
import { type ProcessorConfig, readProcessorConfig, type Triple } from './processor_config.ts';
import type { SegmentFamily, SegmentNeed, VideoSizes } from './segment_contracts.ts';
import { nearMiss, type RecognisedPart, recognisePart, type SegmentPart } from './segment_parts.ts';
import { imageSizeOf, missingParts, requireFit } from './segment_shapes.ts';

/** One graph of a set. */
export interface SegmentGraph {
  /** Absolute path. */
  readonly file: string;
  readonly header: OnnxHeader;
  /** Absolute paths of the files beside it that hold weights. */
  readonly externalFiles: readonly string[];
}

/** The graphs that follow objects from frame to frame. */
interface VideoGraphs {
  readonly attention: SegmentGraph;
  readonly memory: SegmentGraph;
  readonly maskPrompt: SegmentGraph | null;
  /** EdgeTAM's published set. */
  readonly edgetam: {
    readonly decoder: SegmentGraph;
    readonly bank: FixedBank;
    /** `parameters.json`. */
    readonly parameters: string;
  } | null;
  readonly sizes: VideoSizes;
}

/** The graphs of one family that work together, and how pictures and texts get in. */
export interface SegmentSet {
  readonly family: SegmentFamily;
  /** By its image size and contract; the files do not name it. */
  readonly generation: SegmentGeneration;
  readonly answers: readonly SegmentNeed[];
  /** Of the encoder. */
  readonly precision: Precision;
  readonly imageSize: number;
  readonly mean: Triple;
  readonly std: Triple;
  readonly encoder: SegmentGraph;
  readonly concept: { readonly text: SegmentGraph; readonly decoder: SegmentGraph } | null;
  readonly click: { readonly decoder: SegmentGraph } | null;
  readonly video: VideoGraphs | null;
  readonly tokenizerFile: string | null;
  /** All files that it is made of, the encoder's graph first. */
  readonly files: readonly string[];
}

/** Where the graphs of a folder lie: in it, or, as Hugging Face has them, in its `onnx`. */
const GRAPH_FOLDERS = ['.', 'onnx'];

/**
 * The sets in a folder of ONNX files, by the names, types and shapes of their inputs and outputs.
 * Of several graphs for one part, the one of the precision that the device prefers is taken.
 *
 * @throws ModelError `not-found` without the folder or a weight file, `format` for a broken file,
 *   `unknown-graph` where nothing is complete, saying what was found and what is missing.
 */
export function inspectSegmentFolder(folder: string, device: 'webgpu' | 'cpu'): SegmentSet[] {
  const root = resolve(folder);
  const graphs = graphFiles(root).map((file) => readGraph(file));
  const parts = graphs.flatMap((graph) => {
    const recognised = recognisePart(graph.header);
    return recognised ? [{ ...recognised, graph }] : [];
  });
  const sets = (['single-backbone', 'usls', 'transformers-tracker'] as const).flatMap((family) => {
    const set = assemble(root, family, ownParts(parts, family, device));
    return set ? [set] : [];
  });
  if (sets.length === 0) throw incomplete(root, graphs, parts);
  return sets;
}

type Part = RecognisedPart & { readonly graph: SegmentGraph };

/** The graph files of a folder, sorted; other files are passed over. */
function graphFiles(root: string): string[] {
  const stat = statSync(root, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) {
    const found = stat ? 'is a file' : 'is not there';
    throw new ModelError(
      'not-found',
      `${root} ${found}; a folder of ONNX files is expected, as models/export/sam3.py writes it`,
    );
  }
  return GRAPH_FOLDERS.map((name) => join(root, name))
    .filter((place) => statSync(place, { throwIfNoEntry: false })?.isDirectory())
    .flatMap((place) =>
      readdirSync(place)
        .filter((name) => name.endsWith('.onnx'))
        .sort()
        .map((name) => join(place, name)),
    );
}

function readGraph(file: string): SegmentGraph {
  const header = readOnnxHeader(file);
  return { file, header, externalFiles: requireExternalFiles(file, header) };
}

/** One graph a part, of the precision that runs best. */
function ownParts(
  parts: readonly Part[],
  family: SegmentFamily,
  device: 'webgpu' | 'cpu',
): Map<SegmentPart, SegmentGraph> {
  const rank = ({ header }: SegmentGraph) => PREFERENCE[device].indexOf(weightPrecision(header));
  const own = parts
    .filter((one) => one.family === family)
    .sort((a, b) => rank(b.graph) - rank(a.graph));
  // The last one set is the one preferred.
  return new Map(own.map(({ part, graph }) => [part, graph]));
}

function assemble(
  root: string,
  family: SegmentFamily,
  parts: ReadonlyMap<SegmentPart, SegmentGraph>,
): SegmentSet | null {
  const encoder = parts.get('encoder');
  const [text, conceptDecoder, clickDecoder] = (['text', 'concept', 'click'] as const).map((part) =>
    parts.get(part),
  );
  const concept = text && conceptDecoder ? { text, decoder: conceptDecoder } : null;
  const click = clickDecoder ? { decoder: clickDecoder } : null;
  if (!encoder || !(concept || click)) return null;
  const ofPictures = [encoder, concept?.text, concept?.decoder, click?.decoder];
  requireFit(ofPictures.filter((one) => !!one));
  const video =
    click && (videoGraphs(encoder, click.decoder, parts) ?? edgetamGraphs(root, encoder, parts));
  const ofVideo = video && [
    video.attention,
    video.memory,
    video.maskPrompt,
    video.edgetam?.decoder,
  ];
  const graphs = [...ofPictures, ...(ofVideo ?? [])].filter((one) => !!one);
  const config = readProcessorConfig(root);
  const imageSize = imageSizeOf(encoder, config);
  const tokenizer = join(root, 'tokenizer.json');
  const tokenizerFile = concept && existsSync(tokenizer) ? tokenizer : null;
  return {
    family,
    generation: generationOf(family, imageSize, root),
    answers: [...(concept ? (['concept'] as const) : []), ...(click ? (['click'] as const) : [])],
    precision: weightPrecision(encoder.header),
    imageSize,
    ...normalisation(family, imageSize, encoder.header, config),
    encoder,
    concept,
    click,
    video,
    tokenizerFile,
    files: [
      ...graphs.flatMap(({ file, externalFiles }) => [file, ...externalFiles]),
      ...(video?.edgetam ? [video.edgetam.parameters] : []),
      ...(tokenizerFile ? [tokenizerFile] : []),
      ...(config ? [config.file] : []),
    ],
  };
}

/** All three or none; what a graph does not say is as SAM 2 and SAM 3 have it. */
function videoGraphs(
  encoder: SegmentGraph,
  decoder: SegmentGraph,
  parts: ReadonlyMap<SegmentPart, SegmentGraph>,
): VideoGraphs | null {
  const [attention, memory, maskPrompt] = (['attention', 'memory', 'mask-prompt'] as const).map(
    (part) => parts.get(part),
  );
  if (!attention || !memory || !maskPrompt) return null;
  // Two at a time: some names mean another shape in another graph.
  requireFit([encoder, attention]);
  requireFit([encoder, memory]);
  requireFit([maskPrompt, decoder]);
  const { metadata } = attention.header;
  const stated = (key: string, otherwise: number) => {
    const value = Number(metadata[key]);
    return Number.isInteger(value) && value > 0 ? value : otherwise;
  };
  const maskSide = decoder.header.inputs.find(({ name }) => name === 'input_masks')?.dims[2];
  if (typeof maskSide !== 'number' && !(Number(metadata.mask_size) > 0)) {
    throw new ModelError(
      'unknown-graph',
      `${attention.file} does not say the size of masks; mask_size is expected in its metadata`,
    );
  }
  const sizes = {
    maskSize: typeof maskSide === 'number' ? maskSide : stated('mask_size', 0),
    timeRows: stated('num_maskmem', 7),
    conditioning: stated('max_cond_frame_num', 4),
    pointers: stated('max_object_pointers', 16),
  };
  return { attention, memory, maskPrompt, edgetam: null, sizes };
}

/** EdgeTAM's published set beside its two graphs of pictures; null without one of its four files. */
function edgetamGraphs(
  root: string,
  encoder: SegmentGraph,
  parts: ReadonlyMap<SegmentPart, SegmentGraph>,
): VideoGraphs | null {
  const [attention, memory, decoder] = (['attention', 'memory', 'tracked'] as const).map((part) =>
    parts.get(part),
  );
  const parameters = GRAPH_FOLDERS.map((name) => join(root, name, 'parameters.json')).find((file) =>
    existsSync(file),
  );
  if (!attention || !memory || !decoder || !parameters) return null;
  requireFit([encoder, decoder]);
  const bank = readFixedBank(parameters, { attention, memory });
  // Masks are as fine as the finest features.
  const side = decoder.header.inputs.find(({ name }) => name === 'image_embeddings.0')?.dims[2];
  if (typeof side !== 'number') {
    throw new ModelError('unknown-graph', `${decoder.file} does not say the size of its features`);
  }
  const timeRows = bank.time.length / bank.memoryChannels;
  // One row and one slot of the bank are there for conditioning frames.
  const sizes = { maskSize: side, timeRows, conditioning: 1, pointers: BANK_POINTERS };
  return { attention, memory, maskPrompt: null, edgetam: { decoder, bank, parameters }, sizes };
}

/** SAM 3 is the one that takes 1008², its relatives take 1024². */
function generationOf(family: SegmentFamily, imageSize: number, root: string): SegmentGeneration {
  if (imageSize === 1008) return 'sam3';
  if (family !== 'transformers-tracker') return 'mini';
  return /edgetam/i.test(basename(root)) ? 'edgetam' : 'sam2.1';
}

const HALF: Triple = [0.5, 0.5, 0.5];
const IMAGENET_MEAN: Triple = [0.485, 0.456, 0.406];
const IMAGENET_STD: Triple = [0.229, 0.224, 0.225];

/** By the graph, else its processor's configuration, else as the family's models were trained. */
function normalisation(
  family: SegmentFamily,
  imageSize: number,
  { metadata }: OnnxHeader,
  config: ProcessorConfig | undefined,
): { mean: Triple; std: Triple } {
  const imageNet = family === 'transformers-tracker' && imageSize !== 1008;
  return {
    mean: triple(metadata.mean) ?? config?.mean ?? (imageNet ? IMAGENET_MEAN : HALF),
    std: triple(metadata.std) ?? config?.std ?? (imageNet ? IMAGENET_STD : HALF),
  };
}

/** "0.5,0.5,0.5", as the exporter writes it. */
function triple(stated: string | undefined): Triple | undefined {
  const [r, g, b, ...rest] = (stated ?? '').split(',').map(Number.parseFloat);
  const sound = rest.length === 0 && [r, g, b].every((value) => Number.isFinite(value));
  return sound ? [r, g, b] : undefined;
}

/** @throws ModelError `not-found` for a set that takes texts and has nothing to cut them up. */
export function requireTokenizer(
  folder: string,
  { concept, tokenizerFile }: Pick<SegmentSet, 'concept' | 'tokenizerFile'>,
): void {
  if (!concept || tokenizerFile) return;
  throw new ModelError(
    'not-found',
    `${folder} has no tokenizer.json, which texts need; put the one of the checkpoint there`,
  );
}

function incomplete(
  root: string,
  graphs: readonly SegmentGraph[],
  parts: readonly Part[],
): ModelError {
  const found = graphs.slice(0, 12).map(({ file, header }) => {
    const part = parts.find(({ graph }) => graph.file === file);
    const name = file.slice(dirname(file) === root ? root.length + 1 : dirname(root).length + 1);
    if (part) return `  ${name}: ${part.family} ${part.part}`;
    return `  ${name}: ${nearMiss(header) ?? `inputs ${listTensors(header.inputs)}`}`;
  });
  return new ModelError(
    'unknown-graph',
    `${root} holds no complete segmentation model. ` +
      `${found.length === 0 ? 'It has no .onnx file. ' : `It has\n${found.join('\n')}\n`}` +
      `${missingParts(parts)}`,
  );
}
