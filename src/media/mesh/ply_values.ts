import type { MeshLimits } from './mesh.ts';
import { NumberText } from './number_text.ts';
import { PLY_TYPE_BYTES, type PlyElement, type PlyHeader, type PlyType } from './ply_header.ts';
import { refuseMesh } from './refuse.ts';

/** The values of a PLY file, one after the other. */
export interface PlyValues {
  /** @throws {MediaError} 422 where the file ends too early, or (ASCII) no number stands. */
  next(type: PlyType): number;
  /** The most values that can still follow, whatever their type. */
  readonly most: number;
}

/** Takes the values of one item, by the index of their property. */
export interface PlyItems {
  value(property: number, value: number): void;
  /** @param values Changes with the next item. */
  list(property: number, values: readonly number[]): void;
  endItem(): void;
}

/** Where the reader is, for error messages. */
export interface PlyPlace {
  element: string;
  item: number;
}

export function openPlyValues(
  bytes: Uint8Array,
  header: PlyHeader,
  place: PlyPlace,
  field: string,
): PlyValues {
  const refuse = (what: string): never =>
    refuseMesh(field, `has ${what}, in ${place.element} ${place.item} of its PLY file`);
  const cut = (): never =>
    refuseMesh(field, `ends in ${place.element} ${place.item} of its PLY file. It has been cut`);
  if (header.format === 'ascii') return new TextValues(bytes, header.bodyStart, refuse, cut);
  const littleEndian = header.format === 'binary_little_endian';
  return new BinaryValues(bytes, header.bodyStart, littleEndian, cut);
}

class TextValues implements PlyValues {
  private readonly text: NumberText;

  constructor(
    bytes: Uint8Array,
    start: number,
    refuse: (what: string) => never,
    private readonly cut: () => never,
  ) {
    this.text = new NumberText(bytes, start, bytes.length, refuse);
  }

  next(): number {
    if (!this.text.more()) this.cut();
    return this.text.number();
  }

  /** A value takes a digit and a blank, the last one only a digit. */
  get most(): number {
    return (this.text.end - this.text.position + 1) >> 1;
  }
}

class BinaryValues implements PlyValues {
  private readonly view: DataView;
  private at = 0;

  constructor(
    bytes: Uint8Array,
    start: number,
    private readonly littleEndian: boolean,
    private readonly cut: () => never,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset + start, bytes.byteLength - start);
  }

  next(type: PlyType): number {
    const { at, view, littleEndian } = this;
    const after = at + PLY_TYPE_BYTES[type];
    if (after > view.byteLength) this.cut();
    this.at = after;
    switch (type) {
      case 'float32':
        return view.getFloat32(at, littleEndian);
      case 'uint8':
        return view.getUint8(at);
      case 'int32':
        return view.getInt32(at, littleEndian);
      case 'float64':
        return view.getFloat64(at, littleEndian);
      case 'uint32':
        return view.getUint32(at, littleEndian);
      case 'int16':
        return view.getInt16(at, littleEndian);
      case 'uint16':
        return view.getUint16(at, littleEndian);
      case 'int8':
        return view.getInt8(at);
    }
  }

  get most(): number {
    return this.view.byteLength - this.at;
  }
}

/**
 * Refuses a count that the rest of the file can't hold, before memory is taken for it.
 *
 * @throws {MediaError} 422.
 */
export function checkPlyCount(
  element: PlyElement,
  format: PlyHeader['format'],
  values: PlyValues,
  field: string,
): void {
  let least = 0;
  for (const { type, lengthType } of element.properties) {
    least += format === 'ascii' ? 1 : PLY_TYPE_BYTES[lengthType ?? type];
  }
  if (element.count * least <= values.most) return;
  const declared = `declares ${element.count} of '${element.name.slice(0, 40)}'`;
  refuseMesh(field, `${declared} in its PLY header, but is too short for them. It has been cut`);
}

/**
 * Reads all items of an element, or passes over them where `items` is null.
 *
 * @throws {MediaError} 422 where the file ends too early, or a list has an impossible length.
 */
export function readPlyItems(
  element: PlyElement,
  values: PlyValues,
  items: PlyItems | null,
  place: PlyPlace,
  limits: MeshLimits,
): void {
  const { properties } = element;
  const lists = properties.map((): number[] => []);
  place.element = element.name.slice(0, 40);
  for (let item = 0; item < element.count; item++) {
    place.item = item;
    for (let index = 0; index < properties.length; index++) {
      const { type, lengthType } = properties[index];
      if (!lengthType) {
        const value = values.next(type);
        items?.value(index, value);
        continue;
      }
      const length = values.next(lengthType);
      checkLength(length, place, limits);
      const list = lists[index];
      list.length = 0;
      for (let i = 0; i < length; i++) list.push(values.next(type));
      items?.list(index, list);
    }
    items?.endItem();
  }
}

/** Of a polygon with texture coordinates: two values for each of its corners. */
function checkLength(length: number, place: PlyPlace, { maxTriangles, field }: MeshLimits): void {
  const most = 2 * (maxTriangles + 2);
  if (Number.isInteger(length) && length >= 0 && length <= most) return;
  const given = `a list of ${length} values in ${place.element} ${place.item} of its PLY file`;
  refuseMesh(field, `has ${given}; at most ${most} are taken`);
}
