import { type Static, Type as t } from '@sinclair/typebox';
import { FormFile, OneOf } from '../api/schema.ts';
import { concept, MAX_PROMPTS, MAX_TEXT, mask, maskFormat, prompt } from '../sam/prompt_schema.ts';
import { MAX_MASKS } from '../sam/too_many_masks.ts';

/** A whole picture, 64×48, a red ball and a blue box, so that the docs' examples can be sent. */
const EXAMPLE_IMAGE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAAAwBAMAAABTZWEsAAAAMFBMVEWKemjAKCgoSLDIxLy/Ly7CQ0K3OjePc2LIv7fFiYTDWVbIurLEeXWhWE3Is6y7eXPRHJRKAAAACXBIWXMAAAsTAAALEwEAmpwYAAAAnUlEQVQ4y2MwJgAYRhWMRAXWs0JcV27GrcDiiCAQ+DTjVPBUEAziIDwlKEAosEuEKBB7jENBqyAUROBQcBCmQAa7AmtHmAKRzVgVWArCwWSsCqwQChZjVWCKUBCMVYEJQoEzeQoIWkHQkQS9STCgCAY13sgCA3aoHSIFYC5MAQMClEEUpDPgUsBwBSTvy4BbAfu1FLfcAjwKRgGlAAAahtDJPczDjgAAAABJRU5ErkJggg==';

const image = t.Optional(
  t.Union([t.String(), FormFile()], {
    description:
      'The picture as an encoded file (JPEG, PNG, WebP, GIF, TIFF, AVIF): base64, a data URL, or an http(s) URL. In multipart/form-data: the file itself, and the other fields as JSON. Give image or image_url',
    examples: [EXAMPLE_IMAGE],
  }),
);

const imageUrl = t.Optional(
  t.String({
    description: 'An http(s) URL of the picture. Addresses that are not public are refused',
    examples: ['https://example.com/street.jpg'],
  }),
);

const threshold = t.Optional(
  t.Number({
    minimum: 0,
    maximum: 1,
    description: `Masks of a lower score are left out, those of points and boxes too, in [0, 1]; without it the server's own, 0.5 unless set. At most ${MAX_MASKS} masks are given at a time, and 422 where more would be`,
    examples: [0.5],
  }),
);

const model = t.Optional(
  t.String({
    minLength: 1,
    maxLength: 100,
    description:
      'Id of the model to use (/models/info lists what is installed); without it the best installed one answers',
    examples: ['segment-mini'],
  }),
);

const EXAMPLE_PROMPTS = [
  { type: 'text', text: 'red ball' },
  { type: 'box', box: [0.31, 0.56, 0.34, 0.46], label: true },
  { type: 'point', points: [[0.75, 0.6]], point_labels: [1] },
];

export const SegmentBody = t.Object(
  {
    image,
    image_url: imageUrl,
    prompts: t.Array(prompt, {
      minItems: 1,
      maxItems: MAX_PROMPTS,
      description: `1 to ${MAX_PROMPTS} prompts: what to find. Each text is one concept, and the boxes are its examples; boxes without any text are examples of a concept without a name (or objects, see mode); each point prompt is one object`,
      examples: [EXAMPLE_PROMPTS],
    }),
    mode: t.Optional(
      OneOf(['concept', 'instance'], {
        default: 'concept',
        description:
          'What box prompts mean. concept: examples, everything alike is found. instance: each box with label true is around one object, whose mask is given',
        examples: ['concept'],
      }),
    ),
    confidence_threshold: threshold,
    return_visualization: t.Optional(
      t.Boolean({
        default: false,
        description: 'Also draw the masks over the picture; visualization_url says where it is',
        examples: [false],
      }),
    ),
    mask_format: maskFormat,
    model,
  },
  {
    examples: [
      {
        image: EXAMPLE_IMAGE,
        prompts: EXAMPLE_PROMPTS,
        confidence_threshold: 0.5,
        return_visualization: false,
      },
    ],
  },
);

export const CachedFeaturesBody = t.Object(
  {
    image,
    image_url: imageUrl,
    text_prompts: t.Array(concept('One concept'), {
      minItems: 1,
      maxItems: MAX_PROMPTS,
      description: `1 to ${MAX_PROMPTS} concepts, each of 1 to ${MAX_TEXT} characters; all are found in one encoding of the picture`,
      examples: [['red ball', 'blue box']],
    }),
    confidence_threshold: threshold,
    mask_format: maskFormat,
    model,
  },
  {
    examples: [
      {
        image: EXAMPLE_IMAGE,
        text_prompts: ['red ball', 'blue box'],
        confidence_threshold: 0.5,
      },
    ],
  },
);

const found = {
  masks: t.Array(mask, {
    description:
      'The masks, in the order of the prompts, of one prompt the best score first; as mask_format says',
    examples: [['PPYo0aYbA1O2N1O1O1']],
  }),
  boxes: t.Array(t.Array(t.Number()), {
    description:
      "The masks' tight boxes, each [cx, cy, w, h], the centre, width and height as fractions of the image; all 0 for an empty mask",
    examples: [[[0.31, 0.56, 0.34, 0.46]]],
  }),
  scores: t.Array(t.Number(), {
    description: 'Confidence of each mask, in [0, 1]',
    examples: [[0.92]],
  }),
  num_masks: t.Integer({ description: 'How many masks there are', examples: [1] }),
};

const facts = {
  cache_hit: t.Boolean({
    description: "Whether the picture's features were still there from an earlier request",
    examples: [false],
  }),
  model: t.String({
    description: 'The model that answered; two, joined by " + ", where none takes all the prompts',
    examples: ['segment-mini'],
  }),
  model_exact: t.Boolean({
    description: 'Whether that is the model asked for',
    examples: [true],
  }),
  inference_time_ms: t.Number({
    description:
      'Milliseconds from the request having been read to its masks; Server-Timing has the stages',
    examples: [125.3],
  }),
};

export const SegmentAnswer = t.Object({
  ...found,
  prompt_indices: t.Array(t.Integer(), {
    description:
      'For each mask the prompt it came from, counted from 0: of a concept its text, or its first box with label true',
    examples: [[0]],
  }),
  image_size: t.Object(
    {
      width: t.Integer({ description: 'Pixels', examples: [640] }),
      height: t.Integer({ description: 'Pixels', examples: [480] }),
    },
    {
      description: 'Of the picture, after EXIF orientation',
      examples: [{ width: 640, height: 480 }],
    },
  ),
  visualization_url: t.Union([t.String(), t.Null()], {
    description:
      'URL of a PNG of the picture with masks, outlines, labels and scores drawn over it; whoever has it may see it, without a key, until it expires. null unless return_visualization',
    examples: ['http://localhost:8000/api/v1/image/visualization/q8S0bXxq1n3zUO2r4d1v9Q.png'],
  }),
  ...facts,
});

const conceptResult = t.Object({
  prompt: t.String({ description: 'The text prompt', examples: ['red ball'] }),
  ...found,
});

export const CachedFeaturesAnswer = t.Object({
  results: t.Array(conceptResult, {
    description: 'One result for each of text_prompts, in their order',
    examples: [
      [
        {
          prompt: 'red ball',
          masks: ['PPYo0aYbA1O2N1O1O1'],
          boxes: [[0.31, 0.56, 0.34, 0.46]],
          scores: [0.92],
          num_masks: 1,
        },
      ],
    ],
  }),
  ...facts,
});

export const SEGMENT_ERRORS = {
  400: 'The body is not JSON',
  401: 'A key is required, or the key is wrong',
  406: 'No offered media type is accepted',
  413: 'The body or the image is too large',
  415: 'Neither JSON nor multipart/form-data',
  422: 'A field, a prompt or the image is invalid',
  429: 'More requests than RATE_LIMIT_REQUESTS_PER_MINUTE; Retry-After says when to come back',
  500: 'The model failed',
  503: 'The server is busy, or no model is installed that takes such prompts',
};

export type SegmentFields = Static<typeof SegmentBody>;
export type SegmentAnswer = Static<typeof SegmentAnswer>;
export type CachedFeaturesAnswer = Static<typeof CachedFeaturesAnswer>;
