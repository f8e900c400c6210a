import { decodeBase64 } from './base64.ts';
import { MediaError } from './errors.ts';
import { guardedFetch } from './fetch.ts';
import { decodeImage, type RgbImage } from './image.ts';

export interface ImageSource {
  /** The encoded file itself, its base64, a data URL, or an http(s) URL. */
  readonly image?: string | Blob;
  readonly image_url?: string;
}

export interface SourceLimits {
  readonly maxBytes: number;
  readonly maxPixels: number;
  readonly fetchTimeoutMs: number;
}

const MAX_REDIRECTS = 5;

/**
 * The picture that a request carries or points to.
 *
 * @param name what the request calls the picture itself
 * @throws MediaError naming the field
 */
export async function loadImage(
  source: ImageSource,
  limits: SourceLimits,
  signal?: AbortSignal,
  name = 'image',
): Promise<RgbImage> {
  const { bytes, field } = await encodedImage(source, limits, name, signal);
  return decodeImage(bytes, { ...limits, field });
}

async function encodedImage(
  { image, image_url }: ImageSource,
  { maxBytes, fetchTimeoutMs }: SourceLimits,
  name: string,
  signal?: AbortSignal,
): Promise<{ bytes: Uint8Array; field: string }> {
  if (image === undefined && image_url === undefined) {
    throw new MediaError(422, `${name}: expected a picture in ${name} or image_url, given neither`);
  }
  if (image !== undefined && image_url !== undefined) {
    throw new MediaError(422, `${name}: expected either ${name} or image_url, given both`);
  }
  if (image instanceof Blob) return { bytes: await image.bytes(), field: name };
  const field = image === undefined ? 'image_url' : name;
  const text = image ?? image_url ?? '';
  if (field === name && !/^https?:/i.test(text)) {
    return { bytes: decodeBase64(text, { maxBytes, field }), field };
  }
  const options = { maxBytes, timeoutMs: fetchTimeoutMs, maxRedirects: MAX_REDIRECTS };
  const { bytes } = await guardedFetch(text, { ...options, field, signal });
  return { bytes, field };
}
