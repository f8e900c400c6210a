import sharp from 'sharp';
import type { TrackedFrame } from '../client/index.ts';
import type { RgbImage } from '../media/image.ts';
import { drawOverlay } from '../media/overlay.ts';
import { boxOf, countsFromString } from '../media/rle.ts';
import { openVideo } from '../media/video.ts';
import type { Clip } from './clip.ts';
import { DemoError } from './errors.ts';
import { save } from './results.ts';
import type { Stages } from './stages.ts';

/** Frames in the contact sheet, row by row. */
const COLUMNS = 4;
const ROWS = 3;

const LIMITS = { maxPixels: 1e6, maxFrames: 1e4, maxDurationSeconds: 600 };

/**
 * Draws the masks over the clip's frames, and writes them as a video and some side by side.
 *
 * @throws DemoError for a file that cannot be written
 */
export async function writeTracks(
  clip: Clip,
  tracked: readonly TrackedFrame[],
  { video, sheet }: { video: string; sheet: string },
  stages: Stages,
): Promise<void> {
  const drawn = await stages.time('demo', 'decode and draw', () => drawFrames(clip, tracked));
  await stages.time('demo', 'encode and write the video', () => writeVideo(video, clip, drawn));
  await stages.time('demo', 'write the contact sheet', async () =>
    save(sheet, await contactSheet(drawn)),
  );
}

/** The frames that the contact sheet shows, from the first to the last. */
export function sheetFrames(frames: number): number[] {
  const cells = Math.min(COLUMNS * ROWS, frames);
  return Array.from({ length: cells }, (_, i) =>
    Math.round((i * (frames - 1)) / Math.max(1, cells - 1)),
  );
}

async function drawFrames(clip: Clip, tracked: readonly TrackedFrame[]): Promise<RgbImage[]> {
  const frames = await openVideo({ path: clip.path, isFolder: false }, LIMITS);
  const drawn: RgbImage[] = [];
  try {
    for (const { frame_index, objects } of tracked) {
      const { data, width, height } = await frames.frame(frame_index);
      const seen = objects.map(({ id, mask, score }) => {
        const counts = countsFromString(mask);
        return { counts, label: clip.objects[id - 1].name, score, box: boxOf(counts, height) };
      });
      // An object keeps its colour while others are out of sight.
      const png = await drawOverlay({ pixels: data, width, height, objects: seen });
      const pixels = await sharp(png).removeAlpha().raw().toBuffer();
      drawn.push({ data: new Uint8Array(pixels), width, height });
    }
  } finally {
    await frames.close();
  }
  return drawn;
}

async function writeVideo(
  path: string,
  { fps, width, height }: Clip,
  frames: readonly RgbImage[],
): Promise<void> {
  try {
    // FFmpeg's library is large: it is loaded when it is needed.
    const { VideoWriter } = await import('../media/video_writer.ts');
    const writer = await VideoWriter.open(path, { width, height, fps });
    try {
      for (const frame of frames) await writer.add(frame);
      await writer.close();
    } finally {
      await writer.dispose();
    }
  } catch (error) {
    const { message } = error as Error;
    throw new DemoError(`${path} cannot be written: ${message}`, { cause: error });
  }
}

async function contactSheet(frames: readonly RgbImage[]): Promise<Uint8Array> {
  const [{ width, height }] = frames;
  const shown = sheetFrames(frames.length);
  const layers = shown.map((index, i) => ({
    input: Buffer.from(frames[index].data.buffer),
    raw: { width, height, channels: 3 as const },
    left: (i % COLUMNS) * width,
    top: Math.floor(i / COLUMNS) * height,
  }));
  const size = {
    width: COLUMNS * width,
    height: Math.ceil(shown.length / COLUMNS) * height,
    channels: 3 as const,
    background: 'black',
  };
  return new Uint8Array(
    await sharp({ create: size }).composite(layers).removeAlpha().png().toBuffer(),
  );
}
