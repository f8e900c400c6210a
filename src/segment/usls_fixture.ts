/**
 * Rewrites the concept graphs of test/fixtures/segment-parity to usls' names and types, so that the
 * usls adapter is held against the same answers of transformers. Nothing is computed differently.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeOnnx, type FixtureModel } from '../models/onnx_fixture.ts';
import { bytesSource, type Field, ProtobufReader } from '../models/protobuf.ts';
import type { SegmentModel } from '../models/segment_contracts.ts';
import { source, tiny } from './parity_fixture.ts';

const FLOAT = { to: 1 };
const BOOL = { to: 9 };
/** TensorProto.DataType. */
const [INT64, IS_BOOL] = [7, 9];

const levels = [
  { name: 'fpn_feat_0', dims: [1, 64, 36, 36] },
  { name: 'fpn_feat_1', dims: [1, 64, 18, 18] },
  { name: 'fpn_feat_2', dims: [1, 64, 9, 9] },
  { name: 'fpn_pos_2', dims: [1, 64, 9, 9] },
];
const text = { name: 'text_features', dims: ['batch', 32, 64] };
const textMask = { name: 'text_mask', dtype: IS_BOOL, dims: ['batch', 32] };

/** usls' three graphs; the decoder needs `fpn_pos_2`, which holds half of `fpn_feat_2`. */
export async function uslsModel(): Promise<SegmentModel> {
  const folder = mkdtempSync(join(tmpdir(), 'triptych-usls-'));
  const write = async (name: string, rename: readonly string[], wanted: FixtureModel) => {
    const bytes = await Bun.file(source(name).file).bytes();
    await Bun.write(join(folder, name), rewrite(bytes, rename, wanted));
    return source(name, folder);
  };
  return {
    ...tiny,
    name: 'tiny-usls',
    family: 'usls',
    encoder: await write('vision-encoder.onnx', ['pixel_values', 'fpn_feat_2'], {
      inputs: [{ name: 'images', dims: ['batch', 3, 126, 126] }],
      outputs: levels,
      weights: [{ name: 'half', dims: [], bytes: new Uint8Array(Float32Array.of(0.5).buffer) }],
      nodes: [
        { operator: 'Identity', inputs: ['images'], outputs: ['inner.pixel_values'] },
        { operator: 'Mul', inputs: ['inner.fpn_feat_2', 'half'], outputs: ['fpn_feat_2'] },
        { operator: 'Mul', inputs: ['inner.fpn_feat_2', 'half'], outputs: ['fpn_pos_2'] },
      ],
    }),
    concept: {
      text: await write('text-encoder.onnx', ['attention_mask', 'text_mask'], {
        inputs: [
          { name: 'input_ids', dtype: INT64, dims: ['batch', 32] },
          { name: 'attention_mask', dtype: INT64, dims: ['batch', 32] },
        ],
        outputs: [text, textMask],
        nodes: [
          cast('attention_mask', 'inner.attention_mask', FLOAT),
          cast('inner.text_mask', 'text_mask', BOOL),
        ],
      }),
      decoder: await write(
        'concept-decoder.onnx',
        ['fpn_feat_2', 'text_mask', 'input_boxes_labels'],
        {
          inputs: [
            ...levels,
            text,
            textMask,
            { name: 'input_boxes', dims: ['batch', 'boxes', 4] },
            { name: 'input_boxes_labels', dtype: INT64, dims: ['batch', 'boxes'] },
          ],
          outputs: [
            { name: 'pred_masks', dims: ['batch', 12, 36, 36] },
            { name: 'pred_boxes', dims: ['batch', 12, 4] },
            { name: 'pred_logits', dims: ['batch', 12] },
            { name: 'presence_logits', dims: ['batch', 1] },
          ],
          nodes: [
            { operator: 'Add', inputs: ['fpn_feat_2', 'fpn_pos_2'], outputs: ['inner.fpn_feat_2'] },
            cast('text_mask', 'inner.text_mask', FLOAT),
            cast('input_boxes_labels', 'inner.input_boxes_labels', FLOAT),
          ],
        },
      ),
    },
    click: null,
  };
}

function cast(input: string, output: string, attributes: { readonly to: number }) {
  return { operator: 'Cast', inputs: [input], outputs: [output], attributes };
}

/**
 * A model with other inputs and outputs: `rename` get `inner.` before their names, nodes are added to
 * make them from the new inputs. Field numbers are those of onnx.proto.
 */
function rewrite(model: Uint8Array, rename: readonly string[], wanted: FixtureModel): Uint8Array {
  const added = new Message(encodeOnnx(wanted)).inside(7);
  return new Message(model).map((field, inner) => {
    if (field.number !== 7) return null;
    const nodes = inner.map((part, node) => {
      if (part.number === 11 || part.number === 12) return new Uint8Array(0);
      if (part.number !== 1) return null;
      return lengthDelimited(1, node.map(renamed(rename)));
    });
    const isNew = ({ number }: Field) => number !== 2;
    return lengthDelimited(
      7,
      Buffer.concat([nodes, added.map((one) => (isNew(one) ? null : new Uint8Array(0)))]),
    );
  });
}

/** Node inputs (1) and outputs (2) with their new names. */
function renamed(names: readonly string[]) {
  return (field: Field, _: Message, value: Uint8Array): Uint8Array | null => {
    if (field.number > 2) return null;
    const name = new TextDecoder().decode(value);
    return names.includes(name)
      ? lengthDelimited(field.number, Buffer.from(`inner.${name}`))
      : null;
  };
}

/** A protobuf message, to be copied with some of its fields replaced. */
class Message {
  constructor(private readonly bytes: Uint8Array) {}

  /** Fields for which `replace` gives null stay, byte for byte. */
  map(replace: (field: Field, inner: Message, value: Uint8Array) => Uint8Array | null): Uint8Array {
    const parts: Uint8Array[] = [];
    let last = 0;
    for (const field of this.fields()) {
      const value = this.bytes.subarray(field.start, field.end);
      parts.push(replace(field, new Message(value), value) ?? this.bytes.subarray(last, field.end));
      last = field.end;
    }
    return Buffer.concat(parts);
  }

  inside(number: number): Message {
    const field = [...this.fields()].find((one) => one.number === number);
    if (!field) throw new Error(`no field ${number}`);
    return new Message(this.bytes.subarray(field.start, field.end));
  }

  private fields(): Iterable<Field> {
    return new ProtobufReader(bytesSource(this.bytes)).fields(0, this.bytes.length);
  }
}

function lengthDelimited(number: number, value: Uint8Array): Uint8Array {
  const head = [number * 8 + 2];
  let rest = value.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) head.push((rest % 128) | 128);
  return Buffer.concat([Uint8Array.from([...head, rest]), value]);
}
