import { expect, setDefaultTimeout } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '../../test/video_library.ts';
import { encodeRgbPng } from '../media/png.ts';
import { boxOf, countsFromString, decodeRle } from '../media/rle.ts';
import { openVideo } from '../media/video.ts';
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
      }
    }
  } finally {
    await server.stop();
  }
});

/** The clip's first frame, and then the same with red and blue exchanged: a red ball that turns blue. */
async function writeTurning(folder: string, frames: number): Promise<void> {
  const limits = { maxPixels: 1e6, maxFrames: 100, maxDurationSeconds: 60 };
  const path = join(EMBEDDED, 'video-demo.mp4');
  const video = await openVideo({ path, isFolder: false }, limits);
  const { data, width, height } = await video.frame(0);
  await video.close();
  const turned = data.map((_, i) => data[i + [2, 0, -2][i % 3]]);
  const [before, after] = [
    await encodeRgbPng(data, width, height),
    await encodeRgbPng(turned, width, height),
  ];
  mkdirSync(folder);
  for (let i = 0; i < frames; i++) {
    await Bun.write(join(folder, `${String(i).padStart(3, '0')}.png`), i === 0 ? before : after);
  }
}

test('what a text finds once and never again is taken back, but not once a stream has shown it', async () => {
  const FRAMES = 18;
  const root = mkdtempSync(join(tmpdir(), 'triptych-track-new-'));
  await writeTurning(join(root, 'turning'), FRAMES);
  const server = await videoServer({
    sam3Checkpoint: join(EMBEDDED, 'segment-mini'),
    videoRoot: root,
  });
  const send = async (path: string, body: object) => {
    const response = await server.send(`/session/${path}`, 'POST', body);
    const text = await response.text();
    expect({ path, text: response.ok ? '' : text }).toEqual({ path, text: '' });
    return text;
  };
  const way = { direction: 'forward', track_new: true };
  const ids = (frames: readonly { readonly objects: readonly { readonly id: number }[] }[]) =>
    frames.map(({ objects }) => objects.map(({ id }) => id));
  const whole = async (session: string) => {
    const answer = JSON.parse(await send(`${session}/propagate`, way)) as PropagateAnswer;
    return ids(Object.values(answer.results));
  };
  const stream = async (session: string) => {
    const lines = (await send(`${session}/propagate`, { ...way, stream: true })).trimEnd();
    const messages = lines.split('\n').map((line) => JSON.parse(line));
    return ids(messages.filter(({ type }) => type === 'frame'));
  };
  const open = async (session: string, text: string) => {
    await send('start', { video_path: 'turning', session_id: session });
    const named = { frame_index: 0, prompts: [{ text }], confidence_threshold: 1 };
    await send(`${session}/prompt`, named);
  };
  const always = (id: number) => Array.from({ length: FRAMES }, () => [id]);
  try {
    await open('taken-back', 'red sphere');
    expect(await whole('taken-back')).toEqual(Array.from({ length: FRAMES }, () => []));
    await open('streamed', 'red sphere');
    expect(await stream('streamed')).toEqual(always(1));
    expect(await whole('streamed')).toEqual(always(1));
    // Control: the green ball stays green.
    await open('stays', 'green sphere');
    expect(await whole('stays')).toEqual(always(1));
  } finally {
    await server.stop();
    rmSync(root, { recursive: true });
  }
});
