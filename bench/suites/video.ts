import { openVideo } from '../../src/media/video.ts';
import { type ReadOptions, releaseFrame, type VideoFrames } from '../../src/media/video_frames.ts';
import type { BenchContext } from '../measurement.ts';
import { sampleInTurn, type Timed } from '../sampler.ts';
import { statisticsOf } from '../statistics.ts';

const STAGE = 'video';
/** A camera's video that is no part of the project. */
const FILE = '../shared/data/video/bedroom.mp4';
const LIMITS = { maxPixels: 1 << 24, maxFrames: 1e5, maxDurationSeconds: 1e4 };
/** Frames of one sample. */
const FRAMES = 100;

/** Reading frames of a video, to packed RGB. */
export async function run(context: BenchContext): Promise<void> {
  if (!(await Bun.file(FILE).exists())) {
    console.warn(`${FILE} is absent: reading a video is not measured`);
    return;
  }
  const video = await open();
  const { width, height, codec, totalFrames } = video.info;
  const title = `${codec} ${width}x${height}`;
  const forward = `${title} forward`;
  const cases: Timed[] = [
    { name: forward, run: () => readAll(video, 0, { count: FRAMES }) },
    { name: `${title} backward`, run: () => readAll(video, FRAMES - 1, { step: -1 }) },
    { name: `${title} one frame anywhere`, run: anywhere(video) },
    { name: `${title} open ${totalFrames} frames`, run: async () => (await open()).close() },
  ];
  const wanted = cases.filter(({ name }) => context.wants(STAGE, name));
  for (const { name, samples } of await sampleInTurn(wanted)) {
    context.report(STAGE, name, samples, /ward$/.test(name) ? `${FRAMES} frames` : '');
    if (name !== forward) continue;
    const rates = statisticsOf(samples.map((ms) => (FRAMES / ms) * 1000));
    context.reportValue(STAGE, `${name} rate`, {
      ...rates,
      unit: 'frames/s',
      notes: 'at least 150',
    });
  }
  await video.close();
}

const open = () => openVideo({ path: FILE, isFolder: false }, LIMITS);

async function readAll(video: VideoFrames, start: number, options: ReadOptions): Promise<void> {
  for await (const frame of video.frames(start, options)) releaseFrame(frame);
}

/** Frames far from one another, the same ones in every run. */
function anywhere(video: VideoFrames): () => Promise<void> {
  let turn = 0;
  return async () => {
    turn = (turn + 79) % video.info.totalFrames;
    releaseFrame(await video.frame(turn));
  };
}
