import { type Growing, growingFloats } from './growing.ts';
import type { MeshLimits } from './mesh.ts';
import { NumberText } from './number_text.ts';
import type { ObjLooks } from './obj_looks.ts';
import { checkTriangles, checkVertices, refuseMesh } from './refuse.ts';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const BLANK = 32;
const BACKSLASH = 92;
const SLASH = 47;
const V = 118;
const T = 116;
const F = 102;
const U = 117;
const USE = 'usemtl';

/** A corner without texture coordinates. */
const NONE = 0xffffffff;

/** The lines of an OBJ file that say where triangles are. */
export class ObjLines {
  /** [V, 3]. */
  readonly positions = growingFloats();
  /** [V, 2], v up. */
  readonly uvs = growingFloats();
  /** [V, 3], NaN where a vertex has none, short where the last ones have none; null without any. */
  colors: Growing<Float32Array<ArrayBuffer>> | null = null;

  private readonly text: NumberText;
  private line = 0;
  private triangles = 0;
  private mostVertex = 0;
  private mostUv = 0;
  private readonly polygon: number[] = [];
  private readonly polygonUvs: number[] = [];

  private readonly bytes: Uint8Array;

  constructor(
    bytes: Uint8Array,
    private readonly limits: MeshLimits,
    private readonly looks: ObjLooks,
  ) {
    this.bytes = joinLines(bytes);
    this.text = new NumberText(this.bytes, 0, 0, (what) => this.refuse(what));
  }

  read(): void {
    const { bytes, text } = this;
    // Before Mac OS X a carriage return alone ended a line.
    const newline = bytes.includes(LINE_FEED) ? LINE_FEED : CARRIAGE_RETURN;
    for (let start = 0; start < bytes.length; ) {
      const found = bytes.indexOf(newline, start);
      const end = found < 0 ? bytes.length : found;
      this.line++;
      text.position = start;
      text.end = end;
      if (text.more()) this.readLine();
      start = end + 1;
    }
    // Faces may come before what they name, so this is known only now.
    this.checkRange('vertex', this.mostVertex, this.positions.length / 3);
    this.checkRange('texture coordinate', this.mostUv, this.uvs.length / 2);
  }

  private readLine(): void {
    const { bytes, text } = this;
    const at = text.position;
    const first = bytes[at];
    const second = at + 1 < text.end ? bytes[at + 1] : 32;
    if (first === V && second <= 32) {
      text.position = at + 1;
      this.readVertex();
    } else if (first === V && second === T) {
      text.position = at + 2;
      this.readTextureCoordinate();
    } else if (first === F && second <= 32) {
      text.position = at + 1;
      this.readFace();
    } else if (first === U) this.readUse();
  }

  private readVertex(): void {
    const { positions, text } = this;
    for (let axis = 0; axis < 3; axis++) positions.push(this.number('three coordinates'));
    checkVertices(positions.length / 3, this.limits);
    if (!text.more()) return;
    const fourth = text.number();
    // Four numbers are a point with a weight, six or seven a point with a colour.
    if (!text.more()) return;
    this.colors ??= growingFloats();
    while (this.colors.length < positions.length - 3) this.colors.push(Number.NaN);
    this.colors.push(fourth);
    this.colors.push(this.number('a colour of three numbers'));
    this.colors.push(this.number('a colour of three numbers'));
  }

  private readTextureCoordinate(): void {
    this.uvs.push(this.number('two texture coordinates'));
    // A texture of one dimension has no v.
    this.uvs.push(this.text.more() ? this.text.number() : 0);
    checkVertices(this.uvs.length / 2, this.limits);
  }

  private readFace(): void {
    const { polygon, polygonUvs, looks } = this;
    polygon.length = 0;
    polygonUvs.length = 0;
    let hasUvs = true;
    while (this.text.more()) hasUvs = this.readCorner() && hasUvs;
    this.triangles += Math.max(0, polygon.length - 2);
    checkTriangles(this.triangles, this.limits);
    if (polygon.length < 3) return;
    const corners = looks.cornersFor(hasUvs);
    for (let last = 2; last < polygon.length; last++) {
      for (const corner of [0, last - 1, last]) {
        corners.vertices.push(polygon[corner]);
        corners.uvs?.push(polygonUvs[corner]);
      }
    }
  }

  /** `v`, `v/vt`, `v//vn` or `v/vt/vn`; whether there is a vt. */
  private readCorner(): boolean {
    const { bytes, text } = this;
    const vertex = this.index('vertex', this.positions.length / 3);
    this.mostVertex = Math.max(this.mostVertex, vertex);
    this.polygon.push(vertex);
    let uv = NONE;
    if (bytes[text.position] === SLASH) {
      text.position++;
      if (bytes[text.position] !== SLASH && bytes[text.position] > 32) {
        uv = this.index('texture coordinate', this.uvs.length / 2);
        this.mostUv = Math.max(this.mostUv, uv);
      }
    }
    this.polygonUvs.push(uv);
    while (text.position < text.end && bytes[text.position] > 32) text.position++;
    return uv !== NONE;
  }

  /** From 1 on, or back from the last one so far: to an index from 0 on. */
  private index(what: string, count: number): number {
    const given = this.text.integer();
    const index = given > 0 ? given - 1 : count + given;
    if (given !== 0 && index >= 0 && index < NONE) return index;
    this.refuse(`a face with ${what} ${given} where ${count} were defined; they count from 1`);
  }

  private readUse(): void {
    const { bytes, text } = this;
    const line = new TextDecoder('latin1').decode(bytes.subarray(text.position, text.end));
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === USE) this.looks.use(words.join(' '));
  }

  private number(expected: string): number {
    if (!this.text.more()) this.refuse(`too few numbers; expected ${expected}`);
    return this.text.number();
  }

  private checkRange(what: string, most: number, count: number): void {
    if (this.triangles === 0 || most < Math.max(1, count)) return;
    const given = `a face with ${what} ${most + 1}, but ${count} of them`;
    refuseMesh(this.limits.field, `has ${given} in its OBJ file. It may have been cut`);
  }

  private refuse(what: string): never {
    refuseMesh(this.limits.field, `has ${what}, in line ${this.line} of its OBJ file`);
  }
}

/** A backslash at its end joins a line with the next. The caller's bytes stay as they are. */
function joinLines(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(BACKSLASH)) return bytes;
  const joined = bytes.slice();
  for (let at = joined.indexOf(BACKSLASH); at >= 0; at = joined.indexOf(BACKSLASH, at + 1)) {
    const end = joined[at + 1] === CARRIAGE_RETURN ? at + 2 : at + 1;
    if (joined[end] === LINE_FEED) joined.fill(BLANK, at, end + 1);
  }
  return joined;
}
