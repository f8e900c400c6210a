import type { Tensor } from '../../compute/tensor.ts';
import type { ModelSource } from '../../models/open_models.ts';
import { type DecodedObject, decodeMasks, encodeMemories, takeApart } from './decode.ts';
import type { FrameFeatures } from './frame_features.ts';
import { type Keep, runGraph, type TrackerEngine, uploadFloats } from './graphs.ts';
import { resizeAntialiased } from './resize_mask.ts';

/** A mask that an object starts from. */
export interface GivenMask {
  /** [height, width], row by row; 0 is outside, anything else inside. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Logits of a given mask, and the object's score there. */
const INSIDE = 10;

/**
 * An object that is what a mask shows: the mask becomes the object's own, and the decoder gives its
 * pointer (transformers' `_use_mask_as_output`). What is remembered of it is the mask at the size of
 * decoded masks, where transformers takes it at the model's input size.
 *
 * @throws {RangeError} for an empty mask, and when data and size disagree.
 */
export async function startFromMask(
  engine: TrackerEngine,
  features: FrameFeatures,
  given: GivenMask,
  keep: Keep,
): Promise<DecodedObject> {
  const { imageSize, maskSize, maskPrompt } = engine.model;
  const square = (side: number) => ({ width: side, height: side });
  const shares = resizeAntialiased(checked(given), given, square(imageSize));
  const mask = shares.map((share) => Number(share >= 0.5));
  if (!mask.includes(1)) {
    throw new RangeError(
      'the mask is empty at the model’s size; expected one with an object in it',
    );
  }
  const input = () => uploadFloats(engine, mask, [1, 1, imageSize, imageSize], keep);
  const pointed = maskPrompt
    ? await pointAt(engine, maskPrompt, features, input(), keep)
    : noPointer(engine, features, keep);
  const low = resizeAntialiased(mask, square(imageSize), square(maskSize));
  const logits = low.map((share) => share * 2 * INSIDE - INSIDE);
  const dims = [1, 1, maskSize, maskSize];
  const masks = uploadFloats(engine, logits, dims, keep) as Tensor<'float32'>;
  const objectScores = Float32Array.of(INSIDE);
  const own = { ...pointed, masks, objectScores, ious: Float32Array.of(1) };
  const memories = await encodeMemories(engine, features, own, true, keep);
  return takeApart(engine, own, memories)[0];
}

async function pointAt(
  engine: TrackerEngine,
  maskPrompt: ModelSource,
  features: FrameFeatures,
  mask: Tensor,
  keep: Keep,
) {
  const { input_masks } = await runGraph(engine, maskPrompt, { mask }, ['input_masks'], keep);
  const prompts = [{ points: [], mask: input_masks }];
  const { pointers } = await decodeMasks(engine, features, features.raw, prompts, keep);
  return { pointers };
}

function noPointer(engine: TrackerEngine, { raw }: FrameFeatures, keep: Keep) {
  const channels = raw.dims[1];
  const zeros = uploadFloats(engine, new Float32Array(channels), [1, channels], keep);
  return { pointers: zeros as Tensor<'float32'>, hasPointers: false };
}

function checked({ data, width, height }: GivenMask): Float32Array {
  if (data.length !== width * height || data.length === 0) {
    const expected = `expected ${width}·${height} for ${width}×${height}`;
    throw new RangeError(`a mask of ${data.length} pixels; ${expected}`);
  }
  return Float32Array.from(data, (value) => Number(value !== 0));
}
