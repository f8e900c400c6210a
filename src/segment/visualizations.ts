import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { HttpError } from '../api/errors.ts';

export interface VisualizationLimits {
  /** Of all pictures together; past it the least recently seen goes. */
  readonly maxBytes: number;
  /** Since it was made. */
  readonly ttlMs: number;
}

/** Pictures that can be fetched for a while, by names that cannot be guessed. */
export class VisualizationStore {
  private readonly pictures: LRUCache<string, Uint8Array>;

  constructor(private readonly limits: VisualizationLimits) {
    const { maxBytes, ttlMs } = limits;
    // A picture of somebody goes when its time is over, not when somebody asks for it.
    this.pictures = new LRUCache({ maxSize: maxBytes, ttl: ttlMs, ttlAutopurge: true });
  }

  /**
   * Keeps a picture and returns its name.
   *
   * @throws HttpError 422 where it is larger than the store
   */
  add(png: Uint8Array): string {
    const { maxBytes } = this.limits;
    if (png.byteLength > maxBytes) {
      throw new HttpError(
        422,
        `return_visualization: the picture has ${png.byteLength} bytes and at most ${maxBytes} are kept: ask for it with Accept: image/png`,
      );
    }
    const name = randomBytes(16).toString('base64url');
    this.pictures.set(name, png, { size: Math.max(1, png.byteLength) });
    return name;
  }

  /** The picture of a name and the milliseconds it has left; null where there is none. */
  find(name: string): { readonly png: Uint8Array; readonly leftMs: number } | null {
    const png = this.pictures.get(name);
    return png ? { png, leftMs: this.pictures.getRemainingTTL(name) } : null;
  }
}
