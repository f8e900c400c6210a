/** Encodes models/embedded/video-demo.mp4 from the frames that make_video_demo.py drew. */
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { VideoWriter } from '../../src/media/video_writer.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const { width, height, frames, fps } = await Bun.file(here('../embedded/video-demo.json')).json();
const strip = await sharp(here('../../.cache/video-demo.png')).removeAlpha().raw().toBuffer();
const bytes = width * height * 3;
const path = here('../embedded/video-demo.mp4');
const writer = await VideoWriter.open(path, { width, height, fps, crf: 30 });
for (let index = 0; index < frames; index++) {
  const data = new Uint8Array(strip.subarray(index * bytes, (index + 1) * bytes));
  await writer.add({ data, width, height });
}
await writer.close();
console.log(`${path}: ${Bun.file(path).size} bytes`);
