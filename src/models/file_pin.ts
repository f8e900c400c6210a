import type { ModelFile } from './entry.ts';

/** What is publicly recorded of a file's content. */
export interface FilePin {
  readonly bytes?: number;
  readonly sha256?: string;
  /** Rounded, where `bytes` is not known. */
  readonly megabytes?: number;
}

export function pinned({ bytes, sha256, megabytes }: FilePin): Omit<ModelFile, 'url' | 'path'> {
  return {
    ...(bytes !== undefined && { bytes }),
    ...(sha256 !== undefined && { sha256 }),
    ...(bytes === undefined && megabytes !== undefined && { approximateBytes: megabytes * 1e6 }),
  };
}
