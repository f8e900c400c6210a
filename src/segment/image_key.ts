import type { RgbImage } from '../media/image.ts';

/**
 * Names a decoded picture: SHA-256 of its pixels, in a thread of the runtime's own, and its size. Not
 * a faster hash: who could make two pictures of one name would be answered from another's features.
 */
export async function pixelKey({ data, width, height }: RgbImage): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', data);
  return `${width}x${height} ${Buffer.from(digest).toString('base64url')}`;
}
