/** The uniforms of kernel.ts. */
export interface ImageToTensorParams {
  readonly src_width: number;
  readonly src_height: number;
  readonly dst_width: number;
  readonly dst_height: number;
  readonly dst_offset: number;
  readonly cubic: number;
  readonly scale_r: number;
  readonly scale_g: number;
  readonly scale_b: number;
  readonly bias_r: number;
  readonly bias_g: number;
  readonly bias_b: number;
}

/** Per destination coordinate: `count` clamped source coordinates and their weights. */
interface Taps {
  readonly count: number;
  readonly positions: Int32Array;
  readonly weights: Float32Array;
}

/**
 * CPU twin of image-to-tensor.wgsl. Separable: each source row that is needed is resized
 * horizontally once into a ring of four rows, which are then blended vertically.
 */
export function imageToTensorCpu(
  image: Uint8Array,
  tensor: Float32Array,
  params: ImageToTensorParams,
): void {
  const { src_width, src_height, dst_width, dst_height, dst_offset } = params;
  const horizontal = computeTaps(src_width, dst_width, params.cubic !== 0);
  const vertical = computeTaps(src_height, dst_height, params.cubic !== 0);
  const ring = new RowRing(image, src_width, dst_width, horizontal);
  for (let y = 0; y < dst_height; y++) {
    blendRows(ring, vertical, y, tensor, dst_offset + y * dst_width, params);
  }
}

/** Weights of `cv2.resize` (OpenCV imgproc, resize.cpp): half-pixel centres, replicated border. */
function computeTaps(src: number, dst: number, cubic: boolean): Taps {
  const count = cubic ? 4 : 2;
  const positions = new Int32Array(dst * count);
  const weights = new Float32Array(dst * count);
  for (let d = 0; d < dst; d++) {
    const position = ((2 * d + 1) * src - dst) / (2 * dst);
    const whole = Math.floor(position);
    const w = cubic ? cubicWeights(position - whole) : [1 - (position - whole), position - whole];
    const first = cubic ? whole - 1 : whole;
    for (let tap = 0; tap < count; tap++) {
      positions[d * count + tap] = Math.min(Math.max(first + tap, 0), src - 1);
      weights[d * count + tap] = w[tap];
    }
  }
  return { count, positions, weights };
}

/** Keys' cubic convolution with a = −0.75, for offsets −1, 0, 1, 2 from the floor. */
function cubicWeights(t: number): number[] {
  const A = -0.75;
  const u = 1 - t;
  const w0 = ((A * (t + 1) - 5 * A) * (t + 1) + 8 * A) * (t + 1) - 4 * A;
  const w1 = ((A + 2) * t - (A + 3)) * t * t + 1;
  const w2 = ((A + 2) * u - (A + 3)) * u * u + 1;
  return [w0, w1, w2, 1 - w0 - w1 - w2];
}

/** The last four horizontally resized source rows, interleaved RGB. */
class RowRing {
  private readonly rows: Float32Array[];
  private readonly held = new Int32Array(4).fill(-1);
  /** Byte offsets of the taps within a source row. */
  private readonly offsets: Int32Array;

  constructor(
    private readonly image: Uint8Array,
    private readonly srcWidth: number,
    private readonly dstWidth: number,
    private readonly taps: Taps,
  ) {
    this.rows = Array.from({ length: 4 }, () => new Float32Array(dstWidth * 3));
    this.offsets = taps.positions.map((position) => position * 3);
  }

  /** Taps of one destination row are at most four consecutive rows, so slots never collide. */
  row(y: number): Float32Array {
    const slot = y & 3;
    const row = this.rows[slot];
    if (this.held[slot] !== y) {
      const base = y * this.srcWidth * 3;
      if (this.taps.count === 4) this.resizeCubic(base, row);
      else this.resizeLinear(base, row);
      this.held[slot] = y;
    }
    return row;
  }

  private resizeCubic(base: number, row: Float32Array): void {
    const { image, offsets, dstWidth } = this;
    const { weights } = this.taps;
    for (let x = 0, tap = 0, out = 0; x < dstWidth; x++, tap += 4, out += 3) {
      const a = base + offsets[tap];
      const b = base + offsets[tap + 1];
      const c = base + offsets[tap + 2];
      const d = base + offsets[tap + 3];
      const wa = weights[tap];
      const wb = weights[tap + 1];
      const wc = weights[tap + 2];
      const wd = weights[tap + 3];
      row[out] = wa * image[a] + wb * image[b] + wc * image[c] + wd * image[d];
      row[out + 1] = wa * image[a + 1] + wb * image[b + 1] + wc * image[c + 1] + wd * image[d + 1];
      row[out + 2] = wa * image[a + 2] + wb * image[b + 2] + wc * image[c + 2] + wd * image[d + 2];
    }
  }

  private resizeLinear(base: number, row: Float32Array): void {
    const { image, offsets, dstWidth } = this;
    const { weights } = this.taps;
    for (let x = 0, tap = 0, out = 0; x < dstWidth; x++, tap += 2, out += 3) {
      const a = base + offsets[tap];
      const b = base + offsets[tap + 1];
      const wa = weights[tap];
      const wb = weights[tap + 1];
      row[out] = wa * image[a] + wb * image[b];
      row[out + 1] = wa * image[a + 1] + wb * image[b + 1];
      row[out + 2] = wa * image[a + 2] + wb * image[b + 2];
    }
  }
}

/** Blends the ring's rows for destination row `y`, normalises, and writes the three planes. */
function blendRows(
  ring: RowRing,
  { count, positions, weights }: Taps,
  y: number,
  tensor: Float32Array,
  offset: number,
  params: ImageToTensorParams,
): void {
  const { dst_width, dst_height, scale_r, scale_g, scale_b, bias_r, bias_g, bias_b } = params;
  const plane = dst_width * dst_height;
  const tap = y * count;
  const r0 = ring.row(positions[tap]);
  const r1 = ring.row(positions[tap + 1]);
  // Bilinear has two taps: the other two repeat the last with weight 0.
  const r2 = count === 4 ? ring.row(positions[tap + 2]) : r1;
  const r3 = count === 4 ? ring.row(positions[tap + 3]) : r1;
  const w0 = weights[tap];
  const w1 = weights[tap + 1];
  const w2 = count === 4 ? weights[tap + 2] : 0;
  const w3 = count === 4 ? weights[tap + 3] : 0;
  const green = offset + plane;
  const blue = offset + 2 * plane;
  for (let x = 0, i = 0; x < dst_width; x++, i += 3) {
    tensor[offset + x] = (w0 * r0[i] + w1 * r1[i] + w2 * r2[i] + w3 * r3[i]) * scale_r + bias_r;
    tensor[green + x] =
      (w0 * r0[i + 1] + w1 * r1[i + 1] + w2 * r2[i + 1] + w3 * r3[i + 1]) * scale_g + bias_g;
    tensor[blue + x] =
      (w0 * r0[i + 2] + w1 * r1[i + 2] + w2 * r2[i + 2] + w3 * r3[i + 2]) * scale_b + bias_b;
  }
}
