/** The raster formats that are decoded. Vector and scriptable formats are never among them. */
export type ImageFormat = 'JPEG' | 'PNG' | 'WebP' | 'GIF' | 'TIFF' | 'AVIF';

/** For error messages. */
export const ACCEPTED_FORMATS = 'JPEG, PNG, WebP, GIF, TIFF or AVIF';

/** Byte values as Latin-1 text, by their offset in the file. All must match. */
type Signature = Readonly<Record<number, string>>;

const RASTER: readonly (readonly [ImageFormat, Signature])[] = [
  ['JPEG', { 0: '\xff\xd8\xff' }],
  ['PNG', { 0: '\x89PNG\r\n\x1a\n' }],
  ['WebP', { 0: 'RIFF', 8: 'WEBP' }],
  ['GIF', { 0: 'GIF87a' }],
  ['GIF', { 0: 'GIF89a' }],
  ['TIFF', { 0: 'II*\0' }],
  ['TIFF', { 0: 'MM\0*' }],
  ['TIFF', { 0: 'II+\0' }],
  ['TIFF', { 0: 'MM\0+' }],
  // The leading zeros are the high bytes of the box size: without them a text that happens to
  // carry the brand would pass.
  ['AVIF', { 0: '\0\0', 4: 'ftypavif' }],
  ['AVIF', { 0: '\0\0', 4: 'ftypavis' }],
  // The generic HEIF brand: which codec is inside is known once the header has been read.
  ['AVIF', { 0: '\0\0', 4: 'ftypmif1' }],
];

/** Named only so that the error can say what arrived. Compared in lower case. */
const OTHERS: readonly (readonly [string, Signature])[] = [
  ['an SVG document', { 0: '<svg' }],
  ['an XML document', { 0: '<?xml' }],
  ['an HTML page', { 0: '<!doctype' }],
  ['an HTML page', { 0: '<html' }],
  ['a PDF document', { 0: '%pdf' }],
  ['a PostScript file', { 0: '%!ps' }],
  ['a BMP image', { 0: 'bm', 6: '\0\0\0\0' }],
  ['a HEIC image', { 4: 'ftyphei' }],
  ['a JPEG XL image', { 0: '\xff\x0a' }],
  ['a JPEG 2000 image', { 4: 'jp  ' }],
  ['an OpenEXR image', { 0: 'v/1\x01' }],
  ['an MP4 or QuickTime video', { 4: 'ftyp' }],
  ['a zip archive', { 0: 'pk\x03\x04' }],
  ['a gzip stream', { 0: '\x1f\x8b' }],
  ['a NumPy array', { 0: '\x93numpy' }],
  ['JSON', { 0: '{' }],
];

const HEAD_BYTES = 32;

function head(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, HEAD_BYTES));
}

function matches(text: string, signature: Signature): boolean {
  return Object.entries(signature).every(([offset, magic]) => text.startsWith(magic, +offset));
}

/** The format that the first bytes announce, or null when it is none of the accepted ones. */
export function sniffImageFormat(bytes: Uint8Array): ImageFormat | null {
  const text = head(bytes);
  return RASTER.find(([, signature]) => matches(text, signature))?.[0] ?? null;
}

/** What bytes that are no accepted image seem to be, in words for an error message. */
export function describeBytes(bytes: Uint8Array): string {
  // Text formats may begin with a byte-order mark and blanks, and are spelled in either case.
  const text = head(bytes)
    .replace(/^(?:\xef\xbb\xbf)?\s*/, '')
    .toLowerCase();
  const known = OTHERS.find(([, signature]) => matches(text, signature))?.[0];
  // The bytes aren't quoted: they may come from a URL whose content the caller may not see.
  return known ?? `${bytes.byteLength} bytes of an unknown type`;
}
