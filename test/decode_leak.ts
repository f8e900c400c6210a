/** Prints by how many bytes this process grows while it decodes 240 MB of pixels; see image.test.ts. */
import sharp from 'sharp';
import { decodeImage } from '../src/media/image.ts';

const size = { width: 1_000, height: 1_000, channels: 3, background: 'teal' } as const;
const file = await sharp({ create: size }).jpeg().toBuffer();

async function resident(decodes: number): Promise<number> {
  for (let i = 0; i < decodes; i++) await decodeImage(file, { maxBytes: 1e7, maxPixels: 1e7 });
  Bun.gc(true);
  return process.memoryUsage().rss;
}

const before = await resident(10);
console.log((await resident(80)) - before);
