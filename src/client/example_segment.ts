import { extname } from 'node:path';
import { type ArgsDef, defineCommand, type ParsedArgs } from 'citty';
import {
  CONNECTION_ARGS,
  IMAGE_ARG,
  open,
  reportErrors,
  UsageError,
} from './example_connection.ts';
import { PROMPT_ARGS, promptFields } from './example_prompts.ts';
import {
  decodeMask,
  type PromptFields,
  type Segmented,
  segmentImage,
  segmentOverlay,
} from './index.ts';

const args = {
  image: IMAGE_ARG,
  ...PROMPT_ARGS,
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
  const wanted = promptFields(given);
  const { image, options } = await open(given);
  const fields = { image, ...wanted };
  const answer = await segmentImage(fields, options);
  console.log(describe(answer, wanted.prompts));
  // The second request finds the picture's features on the server.
  const file = extension === '.json' ? JSON.stringify(answer) : segmentOverlay(fields, options);
  await Bun.write(out, await file);
  console.log(`wrote ${out}`);
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
