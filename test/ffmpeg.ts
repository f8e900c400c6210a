/**
 * Why FFmpeg's native library (node-av) cannot be loaded; null where it can. It takes 167 MB, so the
 * bundle for GPU machines leaves it at home.
 */
export const missingFfmpeg: string | null = await import('node-av/lib').then(
  () => null,
  (error: Error) => error.message.split('\n')[0],
);
