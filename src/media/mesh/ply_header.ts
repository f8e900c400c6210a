import { quote, refuseMesh } from './refuse.ts';

/** A header that is longer isn't a mesh's. */
const MAX_HEADER_BYTES = 64 * 1024;

const FORMATS = ['ascii', 'binary_little_endian', 'binary_big_endian'] as const;
type PlyFormat = (typeof FORMATS)[number];

const TYPES = {
  char: 'int8',
  int8: 'int8',
  uchar: 'uint8',
  uint8: 'uint8',
  short: 'int16',
  int16: 'int16',
  ushort: 'uint16',
  uint16: 'uint16',
  int: 'int32',
  int32: 'int32',
  uint: 'uint32',
  uint32: 'uint32',
  float: 'float32',
  float32: 'float32',
  double: 'float64',
  float64: 'float64',
} as const;
export type PlyType = (typeof TYPES)[keyof typeof TYPES];

export const PLY_TYPE_BYTES: Readonly<Record<PlyType, number>> = {
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  float32: 4,
  float64: 8,
};

export interface PlyProperty {
  readonly name: string;
  readonly type: PlyType;
  /** Of a list, the type of its length; null for a single value. */
  readonly lengthType: PlyType | null;
}

export interface PlyElement {
  readonly name: string;
  readonly count: number;
  readonly properties: readonly PlyProperty[];
}

export interface PlyHeader {
  readonly format: PlyFormat;
  readonly elements: readonly PlyElement[];
  /** Where the values begin. */
  readonly bodyStart: number;
}

/**
 * Reads the header of a PLY file (Greg Turk, "The PLY Polygon File Format", 1994), with the type
 * names of both generations.
 *
 * @throws {MediaError} 422 when it doesn't end, or a line makes no sense.
 */
export function readPlyHeader(bytes: Uint8Array, field: string): PlyHeader {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, MAX_HEADER_BYTES));
  // What ends the first line ends them all: binary values may begin with any of these characters.
  const newline = /^ply[ \t]*(\r\n|\n|\r)/.exec(text)?.[1];
  if (!newline) refuseMesh(field, "is a PLY file whose first line isn't 'ply' alone");
  const end = new RegExp(`${newline}end_header[ \\t]*(?:${newline}|$)`).exec(text);
  if (!end) refuseMesh(field, "is a PLY file without an 'end_header' line. It may have been cut");
  const header = new HeaderLines(field);
  for (const line of text.slice(0, end.index).split(newline).slice(1)) header.read(line.trim());
  return header.finish(end.index + end[0].length);
}

class HeaderLines {
  #format: PlyFormat | null = null;
  #elements: (PlyElement & { properties: PlyProperty[] })[] = [];

  constructor(private readonly field: string) {}

  read(line: string): void {
    const [keyword, ...words] = line.split(/\s+/);
    if (keyword === 'format') this.#readFormat(words, line);
    else if (keyword === 'element') this.#readElement(words, line);
    else if (keyword === 'property') this.#readProperty(words, line);
    else if (!['comment', 'obj_info', ''].includes(keyword)) this.#refuseLine(line);
  }

  finish(bodyStart: number): PlyHeader {
    if (!this.#format) refuseMesh(this.field, "is a PLY file without a 'format' line");
    return { format: this.#format, elements: this.#elements, bodyStart };
  }

  #readFormat([name, version]: string[], line: string): void {
    const format = FORMATS.find((known) => known === name);
    if (!format || version !== '1.0') this.#refuseLine(line, `format <${FORMATS.join('|')}> 1.0`);
    this.#format = format;
  }

  #readElement([name, count]: string[], line: string): void {
    const valid = /^\d{1,15}$/.test(count ?? '');
    const repeated = this.#elements.some((element) => element.name === name);
    if (!valid || repeated) this.#refuseLine(line, 'element <name> <count>, each name once');
    this.#elements.push({ name, count: Number(count), properties: [] });
  }

  #readProperty(words: string[], line: string): void {
    const isList = words[0] === 'list';
    const [type, lengthType] = isList
      ? [plyType(words[2]), plyType(words[1])]
      : [plyType(words[0]), null];
    const name = words[isList ? 3 : 1];
    const element = this.#elements.at(-1);
    if (!type || !name || !element || (isList && (!lengthType || lengthType.startsWith('float')))) {
      const expected = 'property [list <integer type>] <type> <name> below an element';
      this.#refuseLine(line, expected);
    }
    element.properties.push({ name, type, lengthType });
  }

  #refuseLine(line: string, expected = 'format, element, property, comment or obj_info'): never {
    const given = `has ${quote(line)} in its PLY header`;
    refuseMesh(this.field, `${given}; expected ${expected}`);
  }
}

function plyType(name: string | undefined): PlyType | null {
  return name !== undefined && Object.hasOwn(TYPES, name)
    ? TYPES[name as keyof typeof TYPES]
    : null;
}
