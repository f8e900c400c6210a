import { HttpError } from '../api/errors.ts';
import type { PoseRefusal } from './task.ts';

/** There is no pose for what was sent. */
export class PoseRefusedError extends HttpError {
  constructor(
    /** `mesh`: it cannot be read; `pose`: what was sent does not go together, or shows too little. */
    readonly part: PoseRefusal['part'],
    detail: string,
  ) {
    super(422, detail);
  }
}

/** A pose was found that is none: our fault. */
export class PoseCheckError extends HttpError {
  constructor(detail: string) {
    super(500, detail);
  }
}
