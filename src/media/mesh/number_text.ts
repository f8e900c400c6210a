import { quote } from './refuse.ts';

/** Powers of ten that a double holds exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?$/;
const NOT_FINITE: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
};

const MINUS = 45;
const PLUS = 43;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const LOWER_CASE = 32;
const E = 101;

/**
 * Numbers out of ASCII bytes, without a string for each.
 *
 * Short decimals, nearly all there are, take the exact path of W. Clinger, "How to read floating
 * point numbers accurately" (1990): an integer below 2^53 times or over a power of ten up to 10^22
 * is rounded once, so it equals `Number(text)`. All others go through `Number`.
 */
export class NumberText {
  position: number;
  end: number;

  /** @param refuse Throws what the caller is told; it gets a phrase such as `"abc" where …`. */
  constructor(
    private readonly bytes: Uint8Array,
    start: number,
    end: number,
    private readonly refuse: (what: string) => never,
  ) {
    this.position = start;
    this.end = end;
  }

  /** Goes to the next text that isn't blank; false when there is none. */
  more(): boolean {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end && bytes[at] <= 32) at++;
    this.position = at;
    return at < end;
  }

  /** The next number. Call {@link more} first. */
  number(): number {
    const { bytes, end } = this;
    const start = this.position;
    let at = start;
    const negative = bytes[at] === MINUS;
    if (negative || bytes[at] === PLUS) at++;
    let mantissa = 0;
    let scale = 0;
    const first = at;
    let dots = 0;
    for (; at < end; at++) {
      const code = bytes[at];
      if (code >= ZERO && code <= NINE) {
        mantissa = mantissa * 10 + (code - ZERO);
        scale -= dots;
      } else if (code === DOT && dots === 0) dots = 1;
      else break;
    }
    const digits = at - first - dots;
    if (at < end && (bytes[at] | LOWER_CASE) === E) {
      const exponent = this.#exponent(at + 1);
      scale += exponent.value;
      at = exponent.end;
    }
    const whole = at === end || bytes[at] <= 32;
    const exact = mantissa <= Number.MAX_SAFE_INTEGER && scale >= -22 && scale <= 22;
    if (!(whole && exact && digits > 0)) return this.#rare(start);
    this.position = at;
    const value = scale < 0 ? mantissa / POWERS[-scale] : mantissa * POWERS[scale];
    return negative ? -value : value;
  }

  /** The next integer; what follows it (a blank or `/`) stays. Zero and no digits are told apart. */
  integer(): number {
    const { bytes, end } = this;
    let at = this.position;
    const negative = bytes[at] === MINUS;
    if (negative || bytes[at] === PLUS) at++;
    const first = at;
    let value = 0;
    for (; at < end && bytes[at] >= ZERO && bytes[at] <= NINE; at++) {
      value = value * 10 + (bytes[at] - ZERO);
    }
    if (at === first) this.refuse(`${quote(this.#token())} where an integer was expected`);
    this.position = at;
    return negative ? -value : value;
  }

  #exponent(start: number): { value: number; end: number } {
    const { bytes, end } = this;
    let at = start;
    const negative = bytes[at] === MINUS;
    if (negative || bytes[at] === PLUS) at++;
    const first = at;
    let value = 0;
    for (; at < end && bytes[at] >= ZERO && bytes[at] <= NINE; at++) {
      value = value * 10 + (bytes[at] - ZERO);
    }
    // No digits: out of the exact path's range, so that Number's rules decide.
    if (at === first) value = 1000;
    return { value: negative ? -value : value, end: at };
  }

  #token(): string {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end && bytes[at] > 32 && at - this.position < 400) at++;
    return String.fromCharCode(...bytes.subarray(this.position, at));
  }

  #rare(start: number): number {
    const text = this.#token();
    this.position = start + text.length;
    // Fortran writes 1.5d-3.
    if (DECIMAL.test(text)) return Number(text.replace(/d/i, 'e'));
    const sign = text.startsWith('-') ? -1 : 1;
    const value = NOT_FINITE[text.replace(/^[+-]/, '').toLowerCase()];
    if (value === undefined) this.refuse(`${quote(text)} where a number was expected`);
    return sign * value;
  }
}
