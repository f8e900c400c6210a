/** What the user can put right; the message says how. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}
