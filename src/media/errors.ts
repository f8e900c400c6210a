/**
 * A failure that is the caller's fault: bad bytes, bad text, a bad URL.
 *
 * `message` is one sentence that names the field, says what was given, what was expected and,
 * where it isn't obvious, what to do. The HTTP layer answers `status` with `{ "detail": message }`.
 * Anything else thrown in this folder is a fault of the server.
 */
export class MediaError extends Error {
  override readonly name = 'MediaError';

  /**
   * @param status HTTP status, 4xx: 413 for too many bytes, 422 for everything else.
   * @param message What the caller is told.
   * @param field The request field at fault, as the caller spells it.
   */
  constructor(
    readonly status: number,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}
