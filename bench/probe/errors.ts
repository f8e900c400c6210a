/** The largest |a − b|; NaN anywhere makes it NaN. */
export function largestError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} values against ${b.length}`);
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const error = Math.abs(a[i] - b[i]);
    if (Number.isNaN(error)) return error;
    if (error > worst) worst = error;
  }
  return worst;
}

/** @throws when an error is not below its bound, or is not a number */
export function requireBelow(what: string, error: number, bound: number): void {
  if (error < bound) return;
  throw new Error(`${what} is ${error}, expected below ${bound}`);
}
