import type { RasterExtent } from '../raster.ts';

/** Pixels that are drawn in one pass at most: 8 bytes each, 4 of the image and 4 of depth. */
const MAX_PIXELS = 1 << 23;

/** Workgroups along one dimension that every device takes. */
const MAX_IMAGES = 65_535;

/** Images side by side in one texture. */
export interface AtlasPlan {
  readonly columns: number;
  /** Images drawn in one pass; the last pass may have fewer. */
  readonly images: number;
  /** Pixels of the texture. */
  readonly width: number;
  readonly height: number;
}

/**
 * Lays out as many images as fit.
 *
 * @param maxSide the device's `maxTextureDimension2D`
 * @param maxPixels of a pass of more than one image
 * @throws {RangeError} for an image larger than a texture can be
 */
export function planAtlas(
  { images, width, height }: RasterExtent,
  maxSide: number,
  maxPixels: number = MAX_PIXELS,
): AtlasPlan {
  if (Math.max(width, height) > maxSide) {
    throw new RangeError(
      `cannot draw an image of ${width}x${height} pixels: this device takes at most ${maxSide} a side`,
    );
  }
  const most = Math.max(1, Math.floor(maxPixels / (width * height)));
  const columns = Math.min(images, most, Math.floor(maxSide / width));
  const rows = Math.min(
    Math.ceil(images / columns),
    Math.max(1, Math.floor(most / columns)),
    Math.floor(maxSide / height),
  );
  const size = { width: columns * width, height: rows * height };
  return { columns, images: Math.min(images, columns * rows, MAX_IMAGES), ...size };
}

/** The textures that are drawn into; kept, as long as they are large enough. */
export class Atlas {
  private textures: { readonly ids: GPUTexture; readonly depth: GPUTexture } | null = null;

  constructor(private readonly device: GPUDevice) {}

  /** Views of textures of at least this size: triangle numbers (r32uint) and depth. */
  views({ width, height }: Pick<AtlasPlan, 'width' | 'height'>): {
    ids: GPUTextureView;
    depth: GPUTextureView;
  } {
    const old = this.textures?.ids;
    if (!old || old.width < width || old.height < height) {
      this.clear();
      this.textures = this.create([width, height]);
    }
    const { ids, depth } = this.textures as { ids: GPUTexture; depth: GPUTexture };
    return { ids: ids.createView(), depth: depth.createView() };
  }

  private create(size: number[]) {
    const drawn = GPUTextureUsage.RENDER_ATTACHMENT;
    const usage = drawn | GPUTextureUsage.TEXTURE_BINDING;
    return {
      ids: this.device.createTexture({ label: 'triangles', size, format: 'r32uint', usage }),
      depth: this.device.createTexture({
        label: 'depth',
        size,
        format: 'depth32float',
        usage: drawn,
      }),
    };
  }

  /** What the textures take; they are kept, in use or not. */
  get byteLength(): number {
    const { ids } = this.textures ?? {};
    return ids ? ids.width * ids.height * 8 : 0;
  }

  clear(): void {
    this.textures?.ids.destroy();
    this.textures?.depth.destroy();
    this.textures = null;
  }
}
