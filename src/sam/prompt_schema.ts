import { type Static, Type as t } from '@sinclair/typebox';
import { OneOf } from '../api/schema.ts';

/** Prompts in one request: each costs a run of a decoder. */
export const MAX_PROMPTS = 64;
/** Points of one prompt. */
export const MAX_POINTS = 64;
/** Characters; the text encoder reads about 30 words. */
export const MAX_TEXT = 256;

/** A noun phrase. */
export const concept = (description: string) =>
  t.String({
    minLength: 1,
    maxLength: MAX_TEXT,
    description,
    examples: ['red ball'],
  });

const normalised = t.Number({
  minimum: 0,
  maximum: 1,
  description: 'A fraction of the image, not pixels',
});

/** One prompt of a request. */
export const prompt = t.Object({
  type: t.Optional(
    OneOf(['text', 'box', 'point'], {
      description:
        'What the prompt is, in either case (TEXT, text). Without it the fields tell: points, else box, else text',
      examples: ['text'],
    }),
  ),
  text: t.Optional(
    concept(
      `Text prompt: a noun phrase; every instance of it is found. 1 to ${MAX_TEXT} characters, of which the model reads about 30 words`,
    ),
  ),
  box: t.Optional(
    t.Array(normalised, {
      minItems: 4,
      maxItems: 4,
      description:
        'Box prompt: [cx, cy, w, h], the centre, width and height as fractions of the image, each in [0, 1], w and h above 0; what reaches over the edge is cut off. In a point prompt: a box around its object',
      examples: [[0.31, 0.56, 0.34, 0.46]],
    }),
  ),
  label: t.Optional(
    t.Boolean({
      default: true,
      description: 'Box prompt: true shows what is meant, false what is not meant',
      examples: [true],
    }),
  ),
  points: t.Optional(
    t.Array(t.Array(normalised, { minItems: 2, maxItems: 2 }), {
      minItems: 1,
      maxItems: MAX_POINTS,
      description: `Point prompt: clicks on one object, each [x, y] as fractions of the image from its top left, in [0, 1]; 1 to ${MAX_POINTS}`,
      examples: [[[0.75, 0.6]]],
    }),
  ),
  point_labels: t.Optional(
    t.Array(OneOf01(), {
      maxItems: MAX_POINTS,
      description:
        'Point prompt: one label a point, 1 inside the object, 0 outside; without labels all are inside',
      examples: [[1]],
    }),
  ),
});

function OneOf01() {
  return t.Integer({ minimum: 0, maximum: 1 });
}

/** How the masks of an answer are written. */
export const maskFormat = t.Optional(
  OneOf(['rle', 'rle_object', 'png', 'polygons'], {
    default: 'rle',
    description:
      'Form of the masks. rle: the `counts` string of COCO compressed RLE (column-major, as pycocotools writes it; its size is [image_size.height, image_size.width]). rle_object: {"size": [h, w], "counts": …}, as pycocotools takes it. png: base64 of a PNG of the image\'s size, 255 inside, 0 outside. polygons: COCO polygons, [[x0, y0, x1, y1, …], …] in pixels, corners of pixels',
    examples: ['rle'],
  }),
);

/** One mask of an answer. */
export const mask = t.Union(
  [
    t.String({ description: 'rle: the counts string. png: base64 of the PNG file' }),
    t.Object(
      { size: t.Array(t.Integer(), { description: '[h, w]' }), counts: t.String() },
      { description: 'rle_object' },
    ),
    t.Array(t.Array(t.Number()), { description: 'polygons' }),
  ],
  { description: 'One mask, of the size of the image, as mask_format says' },
);

export type PromptFields = Static<typeof prompt>;
/** What box prompts mean. */
export type PromptMode = 'concept' | 'instance';
export type MaskFormat = NonNullable<Static<typeof maskFormat>>;
/** One mask in JSON, as `mask_format` says. */
export type MaskValue = Static<typeof mask>;
