import { closeSync, fstatSync, openSync } from 'node:fs';
import type { GraphIO, GraphTensor } from './contracts.ts';
import { ModelError } from './errors.ts';
import {
  type ByteSource,
  bytesSource,
  type Field,
  fileSource,
  ProtobufReader,
} from './protobuf.ts';

/**
 * What an ONNX file says about itself, weights excluded. Field numbers are those of onnx.proto
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 */
export interface OnnxHeader extends GraphIO {
  readonly irVersion: number;
  /** Name and version of the exporter; empty when unsaid. */
  readonly producer: string;
  /** Operator set version by domain; '' is ai.onnx. */
  readonly opsets: Readonly<Record<string, number>>;
  /** `metadata_props` of the model. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Files beside this one that hold weights, as the graph names them. */
  readonly externalFiles: readonly string[];
  /** Operator types used anywhere in the graph, sorted. */
  readonly operators: readonly string[];
  /** How many weight elements there are of each dtype. */
  readonly weightElements: Readonly<Record<string, number>>;
}

/** TensorProto.DataType, in the spelling of onnxruntime's JavaScript API. */
const DTYPES = (
  'undefined float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 ' +
  'uint64 complex64 complex128 bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz ' +
  'uint4 int4 float4e2m1'
).split(' ');

const NAME_BYTES = 65_536;
const METADATA_BYTES = 1_048_576;
/** Subgraphs within subgraphs; real graphs nest two or three deep. */
const NESTING_LIMIT = 16;

/**
 * Reads the header of an ONNX file of any size through small reads at the places that matter; it
 * blocks for some milliseconds.
 *
 * @throws ModelError `not-found` without the file, `format` where it is not an ONNX model.
 */
export function readOnnxHeader(path: string): OnnxHeader {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    throw new ModelError('not-found', `${path}: cannot be opened (${(cause as Error).message})`, {
      cause,
    });
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new ModelError('format', 'it is a folder, expected a file');
    return parse(fileSource(descriptor, stat.size));
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    throw new ModelError('format', `${path} is not an ONNX model: ${cause.message}`, { cause });
  } finally {
    closeSync(descriptor);
  }
}

/** As {@link readOnnxHeader}, of a model in memory. */
export function parseOnnxHeader(bytes: Uint8Array): OnnxHeader {
  return parse(bytesSource(bytes));
}

interface Draft {
  irVersion: number;
  producer: string[];
  opsets: Record<string, number>;
  metadata: Record<string, string>;
  inputs: GraphTensor[];
  outputs: GraphTensor[];
  initialisers: Set<string>;
  external: Set<string>;
  operators: Set<string>;
  weightElements: Record<string, number>;
}

function parse(source: ByteSource): OnnxHeader {
  rejectKnownImpostors(source);
  const reader = new ProtobufReader(source);
  const draft: Draft = {
    irVersion: 0,
    producer: [],
    opsets: {},
    metadata: {},
    inputs: [],
    outputs: [],
    initialisers: new Set(),
    external: new Set(),
    operators: new Set(),
    weightElements: {},
  };
  for (const field of reader.fields(0, reader.size)) readModelField(reader, field, draft);
  if (draft.irVersion < 1 || draft.outputs.length === 0) {
    throw new ModelError(
      'format',
      `IR version ${draft.irVersion} and ${draft.outputs.length} graph outputs ` +
        '(at least 1 of each expected)',
    );
  }
  return {
    irVersion: draft.irVersion,
    producer: draft.producer.filter(Boolean).join(' '),
    opsets: draft.opsets,
    metadata: draft.metadata,
    // Up to IR version 3 weights are listed among the inputs too.
    inputs: draft.inputs.filter((input) => !draft.initialisers.has(input.name)),
    outputs: draft.outputs,
    externalFiles: [...draft.external].sort(),
    operators: [...draft.operators].sort(),
    weightElements: draft.weightElements,
  };
}

/** What a download most often leaves in a model's place. */
function rejectKnownImpostors(source: ByteSource): void {
  const head = new TextDecoder('latin1').decode(source.read(0, 64)).trimStart().toLowerCase();
  if (head === '') throw new ModelError('format', 'it is empty');
  if (head.startsWith('version https://git-lfs')) {
    throw new ModelError('format', 'it is a Git LFS pointer; fetch the file itself (git lfs pull)');
  }
  if (head.startsWith('<!doctype') || head.startsWith('<html') || head.startsWith('<?xml')) {
    throw new ModelError('format', 'it is a web page; download the file again');
  }
}

function readModelField(reader: ProtobufReader, field: Field, draft: Draft): void {
  switch (field.number) {
    case 1:
      reader.expectWire(field, 'varint');
      draft.irVersion = field.value;
      return;
    case 2:
    case 3:
      draft.producer[field.number - 2] = reader.text(field, NAME_BYTES);
      return;
    case 7:
      readGraph(reader, field, draft, 0);
      return;
    case 8:
      readOpset(reader, field, draft);
      return;
    case 14: {
      const pair = readPair(reader, field);
      if (pair) draft.metadata[pair.key] = pair.value;
      return;
    }
    case 25:
      for (const part of message(reader, field)) {
        if (part.number === 7) readNode(reader, part, draft, 1);
      }
      return;
  }
}

function message(reader: ProtobufReader, field: Field): Generator<Field> {
  reader.expectWire(field, 'bytes');
  return reader.fields(field.start, field.end);
}

function readGraph(reader: ProtobufReader, field: Field, draft: Draft, nesting: number): void {
  if (nesting > NESTING_LIMIT) {
    throw new ModelError('format', `subgraphs nested more than ${NESTING_LIMIT} deep`);
  }
  for (const part of message(reader, field)) {
    if (part.number === 1) readNode(reader, part, draft, nesting);
    else if (part.number === 5) readTensor(reader, part, draft, nesting === 0);
    else if (part.number === 15) readSparseTensor(reader, part, draft, nesting === 0);
    else if (nesting > 0) continue;
    else if (part.number === 11) draft.inputs.push(readValueInfo(reader, part));
    else if (part.number === 12) draft.outputs.push(readValueInfo(reader, part));
  }
}

function readNode(reader: ProtobufReader, field: Field, draft: Draft, nesting: number): void {
  for (const part of message(reader, field)) {
    if (part.number === 4) draft.operators.add(reader.text(part, NAME_BYTES));
    if (part.number !== 5) continue;
    for (const attribute of message(reader, part)) {
      if (attribute.wire !== 'bytes') continue;
      if (attribute.number === 5 || attribute.number === 10) {
        readTensor(reader, attribute, draft, false);
      } else if (attribute.number === 6 || attribute.number === 11) {
        readGraph(reader, attribute, draft, nesting + 1);
      }
    }
  }
}

function readSparseTensor(
  reader: ProtobufReader,
  field: Field,
  draft: Draft,
  isInitialiser: boolean,
): void {
  for (const part of message(reader, field)) {
    if (part.number === 1) readTensor(reader, part, draft, isInitialiser);
    else if (part.number === 2) readTensor(reader, part, draft, false);
  }
}

function readTensor(
  reader: ProtobufReader,
  field: Field,
  draft: Draft,
  isInitialiser: boolean,
): void {
  let elements = 1;
  let dtype = 0;
  for (const part of message(reader, field)) {
    if (part.number === 1) for (const size of reader.varints(part)) elements *= size;
    else if (part.number === 2) dtype = part.value;
    else if (part.number === 8) {
      const name = reader.text(part, NAME_BYTES);
      if (isInitialiser) draft.initialisers.add(name);
    } else if (part.number === 13) {
      const pair = readPair(reader, part);
      if (pair?.key === 'location') draft.external.add(pair.value);
    }
  }
  const name = dtypeName(dtype);
  draft.weightElements[name] = (draft.weightElements[name] ?? 0) + elements;
}

function readOpset(reader: ProtobufReader, field: Field, draft: Draft): void {
  let domain = '';
  let version = 0;
  for (const part of message(reader, field)) {
    if (part.number === 1) domain = reader.text(part, NAME_BYTES);
    else if (part.number === 2) version = part.value;
  }
  draft.opsets[domain === 'ai.onnx' ? '' : domain] = version;
}

/** A StringStringEntryProto; undefined when its value is too long to be of use here. */
function readPair(
  reader: ProtobufReader,
  field: Field,
): { key: string; value: string } | undefined {
  if (field.end - field.start > METADATA_BYTES) return undefined;
  let key = '';
  let value = '';
  for (const part of message(reader, field)) {
    if (part.number === 1) key = reader.text(part, METADATA_BYTES);
    else if (part.number === 2) value = reader.text(part, METADATA_BYTES);
  }
  return { key, value };
}

function readValueInfo(reader: ProtobufReader, field: Field): GraphTensor {
  let name = '';
  let dtype = 'undefined';
  let dims: (number | string)[] = [];
  for (const part of message(reader, field)) {
    if (part.number === 1) name = reader.text(part, NAME_BYTES);
    if (part.number !== 2) continue;
    for (const type of message(reader, part)) {
      if (type.number === 4 || type.number === 5 || type.number === 9) dtype = 'not a tensor';
      if (type.number !== 1 && type.number !== 8) continue;
      for (const tensor of message(reader, type)) {
        if (tensor.number === 1) dtype = dtypeName(tensor.value);
        else if (tensor.number === 2) dims = readShape(reader, tensor);
      }
    }
  }
  return { name, dtype, dims };
}

function readShape(reader: ProtobufReader, field: Field): (number | string)[] {
  const dims: (number | string)[] = [];
  for (const dim of message(reader, field)) {
    if (dim.number !== 1) continue;
    let size: number | string = '';
    for (const part of message(reader, dim)) {
      // Some exporters write 0 or -1 (2^64 - 1 here) for a size that is free.
      if (part.number === 1 && part.value > 0 && part.value < 2 ** 53) size = part.value;
      else if (part.number === 2) size = reader.text(part, NAME_BYTES);
    }
    dims.push(size);
  }
  return dims;
}

function dtypeName(code: number): string {
  return DTYPES[code] ?? `type ${code}`;
}
