import type { SegmentFamily, SegmentModel } from '../../models/segment_contracts.ts';
import type { SegmentAdapter } from './contract.ts';
import { singleBackbone } from './single_backbone.ts';
import { tracker } from './tracker.ts';
import { usls } from './usls.ts';

const ADAPTERS: Record<SegmentFamily, SegmentAdapter> = {
  usls,
  'transformers-tracker': tracker,
  'single-backbone': singleBackbone,
};

export function adapterOf({ family }: SegmentModel): SegmentAdapter {
  return ADAPTERS[family];
}

/** Outputs of the vision encoder that the installed heads of a model read, and no more. */
export function neededFeatures(model: SegmentModel): readonly string[] {
  const { concept, click } = adapterOf(model);
  return [
    ...(model.concept ? (concept?.features ?? []) : []),
    ...(model.click ? (click?.features ?? []) : []),
  ];
}
