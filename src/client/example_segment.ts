import { extname } from 'node:path';
import { type ArgsDef, defineCommand, type ParsedArgs } from 'citty';
import {
  CONNECTION_ARGS,
  IMAGE_ARG,
  open,
  reportErrors,
  UsageError,
} from './example_connection.ts';
import { numbers, points } from './example_numbers.ts';
import {
  decodeMask,
  type PromptFields,
  type Segmented,
  type SegmentFields,
  segmentImage,
  segmentOverlay,
} from './index.ts';

const args = {
  image: IMAGE_ARG,
  text: { type: 'string', valueHint: 'WORDS', description: 'What to find: a noun phrase' },
  box: {
    type: 'string',
    valueHint: 'CX,CY,W,H',
    description: 'Box around one object, or with --text around an example; fractions of the image',
  },
  click: {
    type: 'string',
    valueHint: 'X,Y',
    description: 'Click on one object, as fractions of the image; several with spaces between',
  },
  outside: { type: 'string', valueHint: 'X,Y', description: 'Clicks beside that object' },
  threshold: { type: 'string', valueHint: 'SCORE', description: 'Lowest score, 0 to 1' },
  out: {
    type: 'string',
    required: true,
    valueHint: 'FILE',
    description: '.png: the picture with the masks drawn over it; .json: the answer',
  },
  ...CONNECTION_ARGS,
} as const satisfies ArgsDef;

type Arguments = ParsedArgs<typeof args>;

export const segmentExample = defineCommand({
  meta: { name: 'segment', description: 'Find objects in a picture by text, box or click' },
  args,
  run: ({ args: given }) => reportErrors(() => segmentTo(given.out, given)),
});

async function segmentTo(out: string, given: Arguments): Promise<void> {
  const extension = extname(out).toLowerCase();
  if (extension !== '.png' && extension !== '.json') {
    throw new UsageError(`--out ${out}: expected a name that ends in .png or .json`);
  }
  const wanted = request(given);
  const { image, options } = await open(given);
  const fields = { image, ...wanted };
  const answer = await segmentImage(fields, options);
  console.log(describe(answer, wanted.prompts));
  // The second request finds the picture's features on the server.
  const file = extension === '.json' ? JSON.stringify(answer) : segmentOverlay(fields, options);
  await Bun.write(out, await file);
  console.log(`wrote ${out}`);
}

type Wanted = Omit<SegmentFields, 'mask_format'>;

/** The request's fields but for the picture. */
function request({ text, box, click, outside, threshold }: Arguments): Wanted {
  const inside = points('click', click);
  const beside = points('outside', outside);
  const labels = [...inside.map(() => 1), ...beside.map(() => 0)];
  const prompts: PromptFields[] = [];
  if (text !== undefined) prompts.push({ type: 'text', text });
  if (box !== undefined) prompts.push({ type: 'box', box: numbers('box', box, 4) });
  if (labels.length > 0) {
    prompts.push({ type: 'point', points: [...inside, ...beside], point_labels: labels });
  }
  if (prompts.length === 0) throw new UsageError('give --text, --box or --click: what to find');
  return {
    prompts,
    mode: text === undefined ? 'instance' : 'concept',
    ...(threshold !== undefined && {
      confidence_threshold: numbers('threshold', threshold, 1)[0],
    }),
  };
}

/** A line a mask. */
function describe(answer: Segmented, prompts: readonly PromptFields[]): string {
  const { masks, scores, boxes, prompt_indices, image_size, model } = answer;
  const lines = masks.map((counts, i) => {
    const { text, type } = prompts[prompt_indices[i]];
    const pixels = decodeMask(counts, image_size).reduce((sum, inside) => sum + inside, 0);
    const box = boxes[i].map((side) => side.toFixed(3)).join(', ');
    return `${text ?? type}: score ${scores[i].toFixed(2)}, ${pixels} pixels, box [${box}]`;
  });
  return [`${masks.length} found by ${model}`, ...lines].join('\n');
}
