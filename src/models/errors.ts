/** What went wrong with a model, as a machine reads it. */
export type ModelErrorCode =
  | 'aborted'
  | 'checksum'
  | 'disk-full'
  | 'format'
  | 'gated'
  | 'licence'
  | 'locked'
  | 'network'
  | 'not-found'
  | 'not-installed'
  | 'offline'
  | 'unknown-graph'
  | 'unknown-model'
  | 'usage';

/** Any failure of this folder: the message says what was given, what was expected, what to do. */
export class ModelError extends Error {
  override readonly name: string = 'ModelError';

  constructor(
    readonly code: ModelErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** No installed model answers a request exactly, and a stand-in was not allowed. */
export class ModelNotInstalledError extends ModelError {
  override readonly name = 'ModelNotInstalledError';

  constructor(
    message: string,
    /** The command that installs the missing model. */
    readonly command: string,
  ) {
    super('not-installed', message);
  }
}
