import type { PlannedPrompt } from './prompts.ts';
import { loadTokenizer } from './tokenizer.ts';
import type { SegmentPrompt } from './types.ts';

/** Prompts as the engine takes them, their texts cut up by the model's tokenizer. */
export async function tokenised(
  prompts: readonly PlannedPrompt[],
  tokenizerFile: string | null,
): Promise<SegmentPrompt[]> {
  const hasTexts = prompts.some(({ ask }) => ask.type === 'concept');
  const tokenizer = hasTexts && tokenizerFile !== null ? await loadTokenizer(tokenizerFile) : null;
  return prompts.map(({ ask }) => {
    if (ask.type === 'click') return ask;
    if (!tokenizer) throw new Error(`no tokenizer for "${ask.text}"`);
    const { exemplars, text, type } = ask;
    return { type, exemplars, ...tokenizer.encode(text) };
  });
}
