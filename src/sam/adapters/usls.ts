import type { SegmentAdapter } from './contract.ts';

/**
 * usls v2 (jamjamjon/assets, release `sam3`): texts and exemplar boxes. Its decoder's batch axis is
 * that of the image's features too, so each prompt has a run of its own.
 */
export const usls: SegmentAdapter = {
  pixels: 'images',
  concept: {
    features: ['fpn_feat_0', 'fpn_feat_1', 'fpn_feat_2', 'fpn_pos_2'],
    sharesImage: false,
  },
  click: null,
};
