/** What we use of opentype.js 2, which has no types of its own. */
declare module 'opentype.js' {
  /** As in SVG: a move, a line, a quadratic or cubic curve with its control points, or the way back. */
  type PathCommand =
    | { readonly type: 'M' | 'L'; readonly x: number; readonly y: number }
    | (Record<'x1' | 'y1' | 'x' | 'y', number> & { readonly type: 'Q' })
    | (Record<'x1' | 'y1' | 'x2' | 'y2' | 'x' | 'y', number> & { readonly type: 'C' })
    | { readonly type: 'Z' };

  interface Path {
    readonly commands: readonly PathCommand[];
  }

  interface Glyph {
    /** In font units. */
    readonly advanceWidth: number;
    /** `y` is the baseline's; `size` is that of the em in pixels. */
    getPath(x: number, y: number, size: number): Path;
  }

  interface Font {
    readonly unitsPerEm: number;
    /** The glyph of a character; that of missing ones, a box, where the font has none. */
    charToGlyph(character: string): Glyph;
  }

  /** A TrueType, OpenType or WOFF 1 file. */
  export function parse(file: ArrayBuffer): Font;
}
