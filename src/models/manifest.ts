import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { ModelError } from './errors.ts';

/**
 * `manifest.json` in a model's folder: what was installed and the hashes seen then, so that a later
 * `models verify` has something to hold the files against even where nothing was pinned.
 */

const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

/**
 * How far a hash can be trusted. `pinned`: the catalogue names it. `announced`: the server named it
 * in the download's headers. `recorded`: it was computed from the bytes that came.
 */
const HashOrigin = Type.Union([
  Type.Literal('pinned'),
  Type.Literal('announced'),
  Type.Literal('recorded'),
]);
export type HashOrigin = Static<typeof HashOrigin>;

const InstalledFile = Type.Object({
  path: Type.String({ minLength: 1 }),
  bytes: Type.Integer({ minimum: 0 }),
  sha256: Sha256,
  hashOrigin: HashOrigin,
  source: Type.String(),
});
export type InstalledFile = Static<typeof InstalledFile>;

const Precision = Type.Union([
  Type.Literal('fp32'),
  Type.Literal('fp16'),
  Type.Literal('q8'),
  Type.Literal('q4'),
  Type.Literal('q4f16'),
  Type.Literal('bnb4'),
]);

/** A file of the user's own, registered with `models add`: it stays where it is. */
const LocalDepthModel = Type.Object({
  /** Manifests of before there were others lack it. */
  family: Type.Optional(Type.Literal('depth')),
  /** Absolute path of the graph. */
  path: Type.String({ minLength: 1 }),
  encoder: Type.Optional(
    Type.Union([Type.Literal('vits'), Type.Literal('vitb'), Type.Literal('vitl')]),
  ),
  dataset: Type.Optional(Type.Union([Type.Literal('hypersim'), Type.Literal('vkitti')])),
  kind: Type.Union([Type.Literal('metric'), Type.Literal('relative')]),
  maxDepth: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  alsoRelative: Type.Boolean(),
  precision: Precision,
  contract: Type.String(),
});

/** A folder of the user's own. */
const LocalSegmentModel = Type.Object({
  family: Type.Literal('segment'),
  /** Absolute path of the folder. */
  path: Type.String({ minLength: 1 }),
  contract: Type.Union([
    Type.Literal('usls'),
    Type.Literal('transformers-tracker'),
    Type.Literal('single-backbone'),
  ]),
  generation: Type.Union([
    Type.Literal('sam3'),
    Type.Literal('sam2.1'),
    Type.Literal('edgetam'),
    Type.Literal('mini'),
  ]),
  answers: Type.Array(Type.Union([Type.Literal('concept'), Type.Literal('click')]), {
    minItems: 1,
  }),
  precision: Precision,
});

/** A folder of the user's own with a refiner and a scorer. */
const LocalPoseModel = Type.Object({
  family: Type.Literal('pose'),
  /** Absolute path of the folder. */
  path: Type.String({ minLength: 1 }),
  contract: Type.Union([Type.Literal('ngc'), Type.Literal('hugging-face'), Type.Literal('cpp')]),
  precision: Precision,
});

const LocalModel = Type.Union([LocalSegmentModel, LocalPoseModel, LocalDepthModel]);
export type LocalModel = Static<typeof LocalModel>;

const Manifest = Type.Object({
  version: Type.Literal(1),
  id: Type.String(),
  installedAt: Type.String(),
  files: Type.Array(InstalledFile),
  local: Type.Optional(LocalModel),
});
export type Manifest = Static<typeof Manifest>;

const check = TypeCompiler.Compile(Manifest);
const FILE_NAME = 'manifest.json';

/**
 * The manifest of a model's folder; undefined where there is none.
 *
 * @throws ModelError `format` where the file is not a manifest.
 */
export function readManifest(directory: string): Manifest | undefined {
  const path = join(directory, FILE_NAME);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (check.Check(value)) return value;
  } catch {
    // Falls through to the error below, as JSON of another shape does.
  }
  throw new ModelError('format', `${path} is not a manifest; remove it and pull the model again`);
}

/** As {@link readManifest}, taking one that cannot be read for none. */
export function tryReadManifest(directory: string): Manifest | undefined {
  try {
    return readManifest(directory);
  } catch {
    return undefined;
  }
}

/** Replaces the manifest in one step: a reader sees the old one or the new one. */
export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  const path = join(directory, FILE_NAME);
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(draft, path);
}

export async function removeManifest(directory: string): Promise<void> {
  await rm(join(directory, FILE_NAME), { force: true });
}
