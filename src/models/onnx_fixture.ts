/**
 * Writes small, valid ONNX files for this folder's tests, straight in the protobuf wire format, so
 * that no test depends on a file from elsewhere.
 */

interface FixtureTensor {
  readonly name: string;
  /** TensorProto.DataType: 1 float32, 7 int64, 10 float16. */
  readonly dtype?: number;
  /** undefined leaves the shape unsaid. */
  readonly dims?: readonly (number | string)[];
}

interface FixtureNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integer (list) attributes. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

interface FixtureWeights {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dtype?: number;
  readonly bytes?: Uint8Array;
  /** A file beside the model that holds the values instead. */
  readonly externalFile?: string;
}

export interface FixtureModel {
  readonly inputs: readonly FixtureTensor[];
  readonly outputs: readonly FixtureTensor[];
  readonly nodes?: readonly FixtureNode[];
  readonly weights?: readonly FixtureWeights[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly opset?: number;
}

export function encodeOnnx(model: FixtureModel): Uint8Array<ArrayBuffer> {
  const graph = concat([
    ...(model.nodes ?? []).map((node) => message(1, encodeNode(node))),
    text(2, 'fixture'),
    ...(model.weights ?? []).map((weights) => message(5, encodeWeights(weights))),
    ...model.inputs.map((tensor) => message(11, encodeTensor(tensor))),
    ...model.outputs.map((tensor) => message(12, encodeTensor(tensor))),
  ]);
  return concat([
    varintField(1, 8),
    text(2, 'fixture'),
    message(7, graph),
    message(8, concat([text(1, ''), varintField(2, model.opset ?? 17)])),
    ...Object.entries(model.metadata ?? {}).map((pair) => message(14, encodePair(pair))),
  ]);
}

/**
 * A depth graph that runs: depth = mean over the channels, and disparity = its square root where
 * asked for. `padding` bytes of unused weights make the file as large as a test needs.
 */
export function encodeDepthModel(
  options: {
    readonly input?: string;
    readonly output?: string;
    readonly disparity?: boolean;
    readonly dims?: readonly (number | string)[];
    readonly metadata?: Readonly<Record<string, string>>;
    readonly padding?: number;
  } = {},
): Uint8Array<ArrayBuffer> {
  const { input = 'image', output = 'depth', disparity = false } = options;
  const dims = options.dims ?? ['batch', 3, 'height', 'width'];
  const map = [dims[0], dims[2], dims[3]];
  const padding = Math.ceil((options.padding ?? 0) / 4);
  return encodeOnnx({
    inputs: [{ name: input, dims }],
    outputs: [
      { name: output, dims: map },
      ...(disparity ? [{ name: 'disparity', dims: map }] : []),
    ],
    nodes: [
      {
        operator: 'ReduceMean',
        inputs: [input],
        outputs: [output],
        attributes: { axes: [1], keepdims: 0 },
      },
      ...(disparity ? [{ operator: 'Sqrt', inputs: [output], outputs: ['disparity'] }] : []),
    ],
    weights: padding === 0 ? [] : [{ name: 'padding', dims: [padding], bytes: noise(padding * 4) }],
    metadata: options.metadata,
  });
}

/** Bytes that differ from place to place, so that a wrongly joined file is noticed. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

function encodeNode(node: FixtureNode): Uint8Array {
  return concat([
    ...node.inputs.map((name) => text(1, name)),
    ...node.outputs.map((name) => text(2, name)),
    text(4, node.operator),
    ...Object.entries(node.attributes ?? {}).map(([name, value]) =>
      message(
        5,
        typeof value === 'number'
          ? concat([text(1, name), varintField(3, value), varintField(20, 2)])
          : concat([text(1, name), ...value.map((v) => varintField(8, v)), varintField(20, 7)]),
      ),
    ),
  ]);
}

function encodeWeights(weights: FixtureWeights): Uint8Array {
  return concat([
    ...weights.dims.map((size) => varintField(1, size)),
    varintField(2, weights.dtype ?? 1),
    text(8, weights.name),
    ...(weights.externalFile
      ? [message(13, encodePair(['location', weights.externalFile])), varintField(14, 1)]
      : [message(9, weights.bytes ?? new Uint8Array(0))]),
  ]);
}

function encodeTensor(tensor: FixtureTensor): Uint8Array {
  const dims = tensor.dims?.map((dim) =>
    message(1, typeof dim === 'number' ? varintField(1, dim) : dim ? text(2, dim) : concat([])),
  );
  const type = [varintField(1, tensor.dtype ?? 1), ...(dims ? [message(2, concat(dims))] : [])];
  return concat([text(1, tensor.name), message(2, message(1, concat(type)))]);
}

function encodePair([key, value]: readonly [string, string]): Uint8Array {
  return concat([text(1, key), text(2, value)]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

function varintField(number: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(number * 8), ...varint(value)]);
}

function message(number: number, body: Uint8Array): Uint8Array {
  return concat([Uint8Array.from([...varint(number * 8 + 2), ...varint(body.byteLength)]), body]);
}

function text(number: number, value: string): Uint8Array {
  return message(number, new TextEncoder().encode(value));
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts));
}
