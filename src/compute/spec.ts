import type { InferenceSession } from 'onnxruntime-common';
import type { TensorSpec } from './backend.ts';
import type { DType } from './tensor.ts';

/** onnxruntime's metadata as a spec, with the symbolic dimensions that were fixed filled in. */
export function toSpec(
  metadata: InferenceSession.ValueMetadata,
  fixedDims: Readonly<Record<string, number>> = {},
): TensorSpec {
  if (!metadata.isTensor) throw new TypeError(`${metadata.name} is not a tensor`);
  const dims = metadata.shape.map((dim) => fixedDims[dim] ?? (isUnnamed(dim) ? '' : dim));
  return { name: metadata.name, dtype: metadata.type as DType, dims };
}

/** A free size without a name is −1 to onnxruntime-node and 2³² − 1 to onnxruntime-web. */
function isUnnamed(dim: number | string): boolean {
  return typeof dim === 'number' && (dim < 0 || dim === 0xffff_ffff);
}

/** Whether no dimension is left free. */
export function isStatic(specs: readonly TensorSpec[]): boolean {
  return specs.every(({ dims }) => dims.every((dim) => typeof dim === 'number'));
}
