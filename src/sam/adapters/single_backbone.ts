import type { SegmentAdapter } from './contract.ts';
import { pointInputs } from './points.ts';

/** Our own SAM 3 export, one encoder for both heads: models/export/SAM3.md. */
export const singleBackbone: SegmentAdapter = {
  pixels: 'pixel_values',
  concept: { features: ['fpn_feat_0', 'fpn_feat_1', 'fpn_feat_2'], sharesImage: true },
  click: {
    features: ['image_embeddings.0', 'image_embeddings.1', 'image_embeddings.2'],
    inputs: (objects, maskSide) => {
      const count = objects.length;
      return {
        ...pointInputs(objects),
        input_masks: {
          values: new Float32Array(count * maskSide ** 2),
          dims: [count, 1, maskSide, maskSide],
        },
        has_input_masks: { values: new Float32Array(count), dims: [count] },
        multimask: { values: objects.map(({ ambiguous }) => Number(ambiguous)), dims: [count] },
      };
    },
    scores: 'best_iou',
    masks: 'best_mask',
  },
};
