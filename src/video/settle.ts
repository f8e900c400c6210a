import type { FrameResult } from './task.ts';

/**
 * Frames held back until others were made after them, without the objects that were taken back in the
 * meantime.
 *
 * @param delay frames to hold
 * @param known the objects that there are now
 */
export async function* settledFrames(
  frames: AsyncIterable<FrameResult>,
  delay: number,
  known: () => readonly number[],
): AsyncGenerator<FrameResult, void, undefined> {
  const held: FrameResult[] = [];
  for await (const frame of frames) {
    held.push(frame);
    if (held.length > delay) yield settled(held.shift() as FrameResult, known());
  }
  for (const frame of held) yield settled(frame, known());
}

function settled({ index, objects }: FrameResult, known: readonly number[]): FrameResult {
  return { index, objects: objects.filter(({ id }) => known.includes(id)) };
}
