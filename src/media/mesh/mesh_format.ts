import { describeBytes } from '../image_format.ts';
import { quote, refuseMesh } from './refuse.ts';

export type MeshFormat = 'PLY' | 'OBJ' | 'GLB' | 'glTF';

/** How far into an OBJ its first statement may be: below comments. */
const HEAD_BYTES = 64 * 1024;

const OBJ_WORDS = new Set([
  'v',
  'vt',
  'vn',
  'vp',
  'f',
  'o',
  'g',
  's',
  'mtllib',
  'usemtl',
  'l',
  'p',
]);

/** Named only so that the error can say what arrived. */
const OTHERS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^solid\s/, 'an STL file'],
  [/^Kaydara FBX Binary/, 'an FBX file'],
  [/^; FBX /, 'an FBX file'],
  [/^(?:ST|C|N|4)*OFF\s/, 'an OFF file'],
  [/^DRACO/, 'a Draco file'],
  [/^BLENDER/, 'a Blender file'],
  [/^(?:#usda|PXR-USDC)/, 'a USD file'],
];

/**
 * What a mesh file is, by its content.
 *
 * @param name The file's name, quoted in the error.
 * @throws {MediaError} 422 when it is none of them.
 */
export function sniffMeshFormat(bytes: Uint8Array, name: string | null, field: string): MeshFormat {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, HEAD_BYTES));
  if (/^ply[ \t]*[\r\n]/.test(text)) return 'PLY';
  if (text.startsWith('glTF')) return 'GLB';
  const body = text.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (body.startsWith('{')) return 'glTF';
  const statement = body.split(/[\r\n]+/).find((line) => /^\s*[^#\s]/.test(line));
  if (OBJ_WORDS.has(statement?.trim().split(/\s+/)[0] ?? '')) return 'OBJ';
  const other = OTHERS.find(([pattern]) => pattern.test(text))?.[1];
  const given = `${name ? `(${quote(name)}) ` : ''}is ${other ?? describeBytes(bytes)}`;
  refuseMesh(field, `${given}; expected a mesh as PLY, OBJ, GLB or glTF`);
}
