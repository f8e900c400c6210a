/**
 * Where each of `dst` outputs samples a row of `src` inputs: (d + ½)·src/dst − ½, not below 0, the
 * half-pixel convention of `torch.nn.functional.interpolate(align_corners=False)`.
 *
 * In PyTorch's float32 arithmetic: the scale is rounded, then the fused multiply-add. Those
 * positions are off by up to 1.5e-5 of a source pixel at 256, which moves the edge of a mask by a
 * pixel now and then; a mask that shall be the same byte for byte needs the same positions. So they
 * are computed here once, for all devices.
 *
 * @returns float32 [dst], in source pixels, rising
 */
export function halfPixelPositions(src: number, dst: number): Float32Array<ArrayBuffer> {
  const scale = Math.fround(src / dst);
  const positions = new Float32Array(dst);
  for (let d = 0; d < dst; d++) {
    // The product is exact in float64, so storing it rounds once, as the fused operation does.
    positions[d] = Math.max(scale * (d + 0.5) - 0.5, 0);
  }
  return positions;
}
