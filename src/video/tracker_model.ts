import type { SegmentModel } from '../models/segment_contracts.ts';
import type { TrackerModel } from './track/model.ts';

/** The graphs that the tracker runs. @throws Error for a model without them */
export function trackerModel(model: SegmentModel): TrackerModel {
  const { name, imageSize, mean, std, encoder, click, video } = model;
  if (!click || !video) throw new Error(`${name} has no graphs that follow objects`);
  const { maskSize, ...limits } = video.sizes;
  return {
    name,
    imageSize,
    maskSize,
    mean,
    std,
    encoder,
    clickDecoder: click.decoder,
    memoryAttention: video.attention,
    memoryEncoder: video.memory,
    maskPrompt: video.maskPrompt,
    edgetam: video.edgetam,
    limits,
  };
}
