/**
 * Text as outlines from a font of our own, so that a picture looks the same on a machine without any
 * font: each character's glyph beside the one before. There is no shaping: Arabic letters stand alone
 * and from left to right, and what the font lacks (Chinese, emoji) is a box.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Font, type PathCommand, parse } from 'opentype.js';

const PACKAGE = '@fontsource/dejavu-sans';
/** DejaVu Sans Bold: Latin, Greek, Cyrillic, Armenian, Hebrew, symbols; not only Latin as it says. */
const FILE = 'files/dejavu-sans-latin-700-normal.woff';

const ELLIPSIS = '…';

/** Measures and draws text. Lengths are in pixels, `size` is the em's. */
export interface Typeface {
  /** How far the text reaches. */
  widthOf(text: string, size: number): number;
  /** SVG path data of the text that starts at x on the baseline y. It holds none of the text itself. */
  pathOf(text: string, x: number, y: number, size: number): string;
}

let opened: Promise<Typeface> | undefined;

/** The one typeface, read at the first call. */
export function openTypeface(): Promise<Typeface> {
  opened ??= readTypeface();
  return opened;
}

async function readTypeface(): Promise<Typeface> {
  const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
  const { buffer, byteOffset, length } = await readFile(join(dirname(manifest), FILE));
  return typefaceOf(parse(buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer));
}

// By single glyphs: opentype.js's own text functions throw on substitutions that this font has.
function typefaceOf(font: Font): Typeface {
  const advance = (character: string, size: number) =>
    (font.charToGlyph(character).advanceWidth * size) / font.unitsPerEm;
  return {
    widthOf(text, size) {
      let width = 0;
      for (const character of text) width += advance(character, size);
      return width;
    },
    pathOf(text, x, y, size) {
      let path = '';
      let at = x;
      for (const character of text) {
        path += font.charToGlyph(character).getPath(at, y, size).commands.map(pathData).join('');
        at += advance(character, size);
      }
      return path;
    },
  };
}

/** SVG path data to a hundredth of a pixel. The package's own writer takes a hundred times as long. */
function pathData(command: PathCommand): string {
  const at = (...values: number[]) =>
    values.map((value) => Math.round(value * 100) / 100).join(' ');
  switch (command.type) {
    case 'M':
    case 'L':
      return command.type + at(command.x, command.y);
    case 'Q':
      return `Q${at(command.x1, command.y1, command.x, command.y)}`;
    case 'C':
      return `C${at(command.x1, command.y1, command.x2, command.y2, command.x, command.y)}`;
    case 'Z':
      return 'Z';
  }
}

/** Of a stranger's text one line of what can be drawn: no control, format or selecting characters. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/[\p{Cf}\p{Variation_Selector}]/gu, '')
    .trim();
}

/** The text, or as much of its beginning as fits into `width` with an ellipsis; '' when none does. */
export function fitText(face: Typeface, text: string, size: number, width: number): string {
  if (width <= 0) return '';
  let used = 0;
  let fitting = '';
  const room = width - face.widthOf(ELLIPSIS, size);
  let beginning = '';
  for (const character of text) {
    used += face.widthOf(character, size);
    if (used > width) return beginning === '' ? '' : beginning.trimEnd() + ELLIPSIS;
    fitting += character;
    if (used <= room) beginning = fitting;
  }
  return fitting;
}
