import type { ArgsDef, ParsedArgs } from 'citty';
import { UsageError } from './example_connection.ts';
import { numbers, points } from './example_numbers.ts';
import type { PromptFields } from './index.ts';

/** By what objects are found. */
export const PROMPT_ARGS = {
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
} as const satisfies ArgsDef;

interface Prompts {
  readonly prompts: PromptFields[];
  readonly mode: 'concept' | 'instance';
  readonly confidence_threshold?: number;
}

/** The request's fields that say what to find. @throws UsageError */
export function promptFields(given: ParsedArgs<typeof PROMPT_ARGS>): Prompts {
  const { text, box, click, outside, threshold } = given;
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
