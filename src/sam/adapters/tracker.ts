import type { SegmentAdapter } from './contract.ts';
import { pointInputs } from './points.ts';

/** Label of the empty point that closes a prompt; its coordinates are not read. */
const EMPTY_POINT = -1;

/**
 * The two graphs of onnx-community's sam3-tracker-ONNX, EdgeTAM-ONNX and sam2.1-hiera-tiny-ONNX:
 * transformers' `Sam2Model` and its relatives.
 *
 * Boxes go in as two points with labels 2 and 3, which become the same tokens as in `input_boxes`,
 * and `input_boxes` has none: it exists once an image, not once an object. Since it is there,
 * transformers' prompt encoder leaves the empty point that closes a prompt to it (`pad` in
 * `_embed_points`), so it is given here.
 */
export const tracker: SegmentAdapter = {
  pixels: 'pixel_values',
  concept: null,
  click: {
    features: ['image_embeddings.0', 'image_embeddings.1', 'image_embeddings.2'],
    inputs: (objects) => ({
      ...pointInputs(
        objects.map((object) => ({
          ...object,
          points: [...object.points, [0, 0] as const],
          labels: [...object.labels, EMPTY_POINT],
        })),
      ),
      input_boxes: { values: [], dims: [1, 0, 4] },
    }),
    scores: 'iou_scores',
    masks: 'pred_masks',
  },
};
