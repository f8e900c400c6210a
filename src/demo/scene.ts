import { fileURLToPath } from 'node:url';
import type { SegmentFields } from '../client/index.ts';

/** One thing to ask of the scene. */
export interface SceneAsk {
  /** Part of its file's name. */
  readonly name: 'click' | 'box' | 'text';
  /** What is asked, for people. */
  readonly given: string;
  readonly fields: Pick<SegmentFields, 'prompts' | 'mode'>;
}

/** The picture that the demo segments: solids on a table, which the embedded model knows. */
export interface Scene {
  readonly path: string;
  readonly file: Blob;
  readonly width: number;
  readonly height: number;
  readonly asks: readonly SceneAsk[];
}

/** What models/export/make_segment_demo.py wrote, coordinates as fractions of the picture. */
interface SceneFile {
  readonly width: number;
  readonly height: number;
  /** [x, y], in the middle of an object. */
  readonly click: number[];
  /** [cx, cy, w, h], around another. */
  readonly box: number[];
  readonly text: string;
}

const PICTURE = fileURLToPath(new URL('../../models/embedded/segment-demo.jpg', import.meta.url));
const PROMPTS = new URL('../../models/embedded/segment-demo.json', import.meta.url);

export async function readScene(): Promise<Scene> {
  const { width, height, click, box, text }: SceneFile = await Bun.file(PROMPTS).json();
  const asks: SceneAsk[] = [
    { name: 'click', given: `at [${click}]`, fields: { prompts: [{ points: [click] }] } },
    {
      name: 'box',
      given: `around [${box}]`,
      fields: { prompts: [{ box }], mode: 'instance' },
    },
    { name: 'text', given: `"${text}"`, fields: { prompts: [{ text }] } },
  ];
  return { path: PICTURE, file: Bun.file(PICTURE), width, height, asks };
}
