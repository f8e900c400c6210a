/** Bilinear between the centres of texels, repeated in all directions. */
export class TextureSampler {
  constructor(
    private readonly texels: Uint8Array,
    private readonly width: number,
    private readonly height: number,
  ) {}

  /** Writes clip(texture(u, v)·light, 0, 1) to three floats at `out`. */
  sample(u: number, v: number, light: number, rgb: Float32Array, out: number): void {
    const { texels, width, height } = this;
    const x = (u - Math.floor(u)) * width - 0.5;
    const y = (v - Math.floor(v)) * height - 0.5;
    const partX = x - Math.floor(x);
    const partY = y - Math.floor(y);
    const left = (Math.floor(x) + width) % width;
    const top = (Math.floor(y) + height) % height;
    const right = (left + 1) % width;
    const bottom = (top + 1) % height;
    const a = (top * width + left) * 3;
    const b = (top * width + right) * 3;
    const c = (bottom * width + left) * 3;
    const d = (bottom * width + right) * 3;
    for (let channel = 0; channel < 3; channel++) {
      const upper = texels[a + channel] * (1 - partX) + texels[b + channel] * partX;
      const lower = texels[c + channel] * (1 - partX) + texels[d + channel] * partX;
      const value = (upper * (1 - partY) + lower * partY) / 255;
      rgb[out + channel] = Math.min(Math.max(value * light, 0), 1);
    }
  }
}
