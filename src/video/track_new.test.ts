import { expect, setDefaultTimeout } from 'bun:test';
import { join } from 'node:path';
import { test } from '../../test/video_library.ts';
import { boxOf, countsFromString, decodeRle } from '../media/rle.ts';
import type { PromptAnswer, PropagateAnswer } from './answers.ts';
import { videoServer } from './server_fixture.ts';

// A whole server starts, and may share its processors.
setDefaultTimeout(60_000);

const EMBEDDED = join(import.meta.dir, '../../models/embedded');
/** A clip with two balls, and where they are on some frames. */
const clip: {
  readonly width: number;
  readonly height: number;
  readonly objects: readonly {
    readonly name: string;
    readonly truth: Readonly<Record<string, string | null>>;
  }[];
} = await Bun.file(join(EMBEDDED, 'video-demo.json')).json();
const [red, green] = clip.objects;
/** The red ball is out of the picture here, and comes back before the last frame. */
const [FIRST, LAST] = [20, 29];

/** The middle of an object, as fractions of the frame. */
function middle(counts: string): [number, number] {
  const { x, y, width, height } = boxOf(countsFromString(counts), clip.height);
  return [(x + width / 2) / clip.width, (y + height / 2) / clip.height];
}

function seen({ name, truth }: (typeof clip.objects)[number], frame: number): string {
  const mask = truth[frame];
  if (mask) return mask;
  throw new Error(`the ${name} is not to be seen on frame ${frame}`);
}

function iou(a: string, b: string): number {
  const [one, other] = [a, b].map((counts) => decodeRle(counts, clip.height, clip.width));
  let [both, either] = [0, 0];
  for (let i = 0; i < one.length; i++) {
    both += one[i] & other[i];
    either += one[i] | other[i];
  }
  return both / either;
}

test('what a text finds while another object is followed joins with track_new, and only then', async () => {
  const server = await videoServer({
    sam3Checkpoint: join(EMBEDDED, 'segment-mini'),
    videoRoot: EMBEDDED,
  });
  const ask = async <T>(path: string, body: object): Promise<T> => {
    const response = await server.send(`/session/${path}`, 'POST', body);
    expect({ path, text: response.ok ? '' : await response.text() }).toEqual({ path, text: '' });
    return (await response.json()) as T;
  };
  try {
    for (const track_new of [false, true]) {
      const id = `new-${track_new}`;
      await ask('start', { video_path: 'video-demo.mp4', session_id: id });
      const clicked = { frame_index: FIRST, prompts: [{ points: [middle(seen(green, FIRST))] }] };
      expect((await ask<PromptAnswer>(`${id}/prompt`, clicked)).obj_id).toEqual([1]);
      // The text is remembered; nothing is as sure as that.
      const text = { prompts: [{ text: 'red sphere' }], confidence_threshold: 1 };
      const named = { frame_index: FIRST, ...text };
      expect((await ask<PromptAnswer>(`${id}/prompt`, named)).obj_id).toEqual([]);
      const way = { direction: 'forward', start_frame_index: FIRST, track_new };
      const { results } = await ask<PropagateAnswer>(`${id}/propagate`, way);
      const idsOn = (frame: number) => results[frame].objects.map((one) => one.id);
      expect(idsOn(FIRST)).toEqual([1]);
      if (!track_new) expect(idsOn(LAST)).toEqual([1]);
      else {
        const joined = results[LAST].objects.filter((one) => one.id !== 1);
        const best = Math.max(...joined.map(({ mask }) => iou(mask as string, seen(red, LAST))));
        expect(best).toBeGreaterThan(0.6);
        console.log(
          joined.map((j) => [j.id, j.score]),
          Object.values(results).map((f) => f.objects.map((o) => o.id).join()),
        );
      }
    }
  } finally {
    await server.stop();
  }
});
