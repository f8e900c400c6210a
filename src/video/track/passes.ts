import type { Position } from './memory_bank.ts';
import type { Direction } from './recall.ts';

/** Frames followed one after another in one direction. */
export interface Pass {
  readonly start: number;
  readonly last: number;
  readonly direction: Direction;
}

/** The pass with one more frame, or a new one where the frame does not follow. */
export function continuePass(pass: Pass | null, frame: number, direction: Direction): Pass {
  const follows =
    pass?.direction === direction && (frame === pass.last || frame === pass.last + direction);
  return { start: follows ? pass.start : frame, last: frame, direction };
}

/**
 * From where the past of a pass may still be read: by its next frame, by a prompt on its last one,
 * and by a pass the other way from where it began.
 */
export function readablePositions({ start, last, direction }: Pass): Position[] {
  const back = direction === 1 ? -1 : 1;
  return [
    { frame: last + direction, direction },
    { frame: last, direction },
    { frame: start, direction: back },
    { frame: start + back, direction: back },
  ];
}
