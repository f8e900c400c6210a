import type { Config } from './config.ts';

/** What the modules of an engine are told when it starts. */
export interface EngineSettings {
  /** Features of images that were encoded, kept on the device for the next prompt. */
  readonly featureCache: {
    /** On this engine; 0 keeps nothing. */
    readonly maxBytes: number;
    /** Since they were last used; 0 never drops them for their age. */
    readonly ttlMs: number;
  };
}

/** The settings of each engine of a server. */
export function engineSettings({
  maxCacheSizeMb,
  featureCacheTtlSeconds,
  workers,
}: Pick<Config, 'maxCacheSizeMb' | 'featureCacheTtlSeconds' | 'workers'>): EngineSettings {
  return {
    featureCache: {
      maxBytes: Math.floor((maxCacheSizeMb * 2 ** 20) / workers),
      ttlMs: featureCacheTtlSeconds * 1000,
    },
  };
}
