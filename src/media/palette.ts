/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/**
 * The seven colours of Okabe and Ito ("Color Universal Design", 2008; without black), then five more,
 * each the one farthest from all before it in OKLab, for normal, red-blind, green-blind and blue-blind
 * eyes alike: no two of the twelve are closer than the closest two of the seven.
 */
const COLOURS = 'e69f0056b4e9009e73f0e4420072b2d55e00cc79a7' + '870f1e96ffff2d00d2b4c3a5691e87';

const bytes = Uint8Array.fromHex(COLOURS);

/** Colours that eyes with any kind of colour blindness can tell apart, for objects in a picture. */
export const PALETTE: readonly Rgb[] = Array.from({ length: bytes.length / 3 }, (_, i) => [
  bytes[i * 3],
  bytes[i * 3 + 1],
  bytes[i * 3 + 2],
]);

/** The colour of the object at `index`: always the same, and again from the first after the last. */
export function colourOf(index: number): Rgb {
  return PALETTE[index % PALETTE.length];
}

/** Black or white, whichever has the higher contrast on `background` (WCAG 2's definition). */
export function inkOn(background: Rgb): Rgb {
  const luminance = relativeLuminance(background);
  // (L + 0.05) / 0.05 against 1.05 / (L + 0.05).
  return (luminance + 0.05) ** 2 > 0.05 * 1.05 ? [0, 0, 0] : [255, 255, 255];
}

/** WCAG 2's relative luminance, from 0 for black to 1 for white. */
export function relativeLuminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
