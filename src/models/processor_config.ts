import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { ModelError } from './errors.ts';

export type Triple = readonly [number, number, number];

/** How a model's own files say that a picture becomes its input. */
export interface ProcessorConfig {
  /** The file that says it. */
  readonly file: string;
  readonly mean?: Triple;
  readonly std?: Triple;
  /** Side in pixels, where height and width are the same. */
  readonly size?: number;
}

const channels = (each: ReturnType<typeof Type.Number>) => Type.Tuple([each, each, each]);
const side = Type.Integer({ minimum: 1 });

/** The part of transformers' image processor configuration that is read. */
const ImageProcessor = Type.Object({
  image_mean: Type.Optional(channels(Type.Number())),
  image_std: Type.Optional(channels(Type.Number({ exclusiveMinimum: 0 }))),
  size: Type.Optional(Type.Object({ height: Type.Optional(side), width: Type.Optional(side) })),
});
/** Newer exports keep it within the configuration of the whole processor. */
const Processor = Type.Object({ image_processor: ImageProcessor });

const isImageProcessor = TypeCompiler.Compile(ImageProcessor);
const isProcessor = TypeCompiler.Compile(Processor);

/** In the order in which they are believed. */
const FILES = ['preprocessor_config.json', 'processor_config.json'];

/**
 * Reads a folder's `preprocessor_config.json` or `processor_config.json`, of transformers' form.
 *
 * @returns undefined where there is neither, or neither speaks of pictures
 * @throws ModelError `format` where one is not what it should be.
 */
export function readProcessorConfig(folder: string): ProcessorConfig | undefined {
  for (const name of FILES) {
    const file = join(folder, name);
    const found = existsSync(file) ? imageProcessor(file) : undefined;
    if (!found) continue;
    const { image_mean: mean, image_std: std, size } = found;
    const square = size?.height !== undefined && size.height === size.width;
    return {
      file,
      ...(mean && { mean: mean }),
      ...(std && { std: std }),
      ...(square && { size: size.height }),
    };
  }
  return undefined;
}

function imageProcessor(file: string): Static<typeof ImageProcessor> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ModelError('format', `${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (isProcessor.Check(value)) return value.image_processor;
  const whole = typeof value === 'object' && value !== null && 'image_processor' in value;
  if (whole || !isImageProcessor.Check(value)) throw wrongShape(file);
  return value.image_mean || value.image_std || value.size ? value : undefined;
}

function wrongShape(file: string): ModelError {
  return new ModelError(
    'format',
    `${file}: image_mean and image_std of 3 numbers and a size of height and width are expected`,
  );
}
