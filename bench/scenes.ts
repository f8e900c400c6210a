import { join } from 'node:path';
import sharp from 'sharp';
import { encodeBase64 } from '../src/media/base64.ts';
import type { BenchRequest } from './bodies.ts';

const SCENE = join(import.meta.dir, '../models/embedded/segment-demo.jpg');
/** Of the scene's picture. */
export const SCENE_SIZE = '640x427';

/** Where something is in the scene, as fractions of it. */
const CLICK = [0.393, 0.566];
const BOX = [0.598, 0.121, 0.111, 0.208];

const TEXTS = [
  'purple cube',
  'blue ball',
  'green cube',
  'red cylinder',
  'metal',
  'wooden cube',
  'glass pyramid',
  'grey ring',
  'white cone',
  'car',
] as const;

/** What is asked of a picture. */
export interface Ask {
  readonly name: string;
  readonly path: string;
  readonly fields: object;
}

const SEGMENT = '/api/v1/image/segment';

export const ASKS: readonly Ask[] = [
  { name: 'click', path: SEGMENT, fields: { prompts: [{ points: [CLICK] }] } },
  { name: 'box', path: SEGMENT, fields: { prompts: [{ box: BOX }], mode: 'instance' } },
  text(TEXTS[0]),
];

/** One text. */
function text(words: string): Ask {
  return { name: 'text', path: SEGMENT, fields: { prompts: [{ text: words }] } };
}

/** Ten texts, each in a request of its own. */
export const SEPARATE: readonly Ask[] = TEXTS.map(text);

/** Ten texts in one request. */
export const TOGETHER: Ask = {
  name: `${TEXTS.length} texts`,
  path: '/api/v1/image/cached-features',
  fields: { text_prompts: TEXTS },
};

/** Makes the scene's picture as JPEG files no two of which are alike, as a camera's are. */
export class FreshScenes {
  private readonly picture = sharp(SCENE).raw().toBuffer({ resolveWithObject: true });
  private made = 0;

  /** The next one, as base64. */
  async next(): Promise<string> {
    const { data, info } = await this.picture;
    const { width, height } = info;
    const number = this.made++;
    // Blocks of JPEG's size in one corner that count in black and white.
    const rgb = Buffer.from(data);
    for (let bit = 0; bit < 24; bit++) {
      const value = (number >> bit) & 1 ? 255 : 0;
      for (let y = 0; y < 16; y++)
        rgb.fill(value, (y * width + bit * 16) * 3, (y * width + bit * 16 + 16) * 3);
    }
    const file = await sharp(rgb, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 88 })
      .toBuffer();
    return encodeBase64(file);
  }
}

/** A question about a picture in JSON, as the document's clients send it. */
export function askRequest({ name, path, fields }: Ask, image: string): BenchRequest {
  return {
    name: `${name} ${SCENE_SIZE}`,
    path,
    init: {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ image, ...fields }),
    },
  };
}
