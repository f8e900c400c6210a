import { statSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { LRUCache } from 'lru-cache';
import { ModelError } from '../models/errors.ts';

/** Tokens that a text encoder takes, BOS and EOS included. */
const LENGTH = 32;

/** A text as a text encoder takes it. */
export interface EncodedText {
  /** [32]: BOS, tokens, EOS, padded with EOS; a longer text is cut and still ends with EOS. */
  readonly inputIds: readonly number[];
  /** [32]: 1 for BOS … EOS, 0 for padding. */
  readonly attentionMask: readonly number[];
}

/** CLIP's byte pair encoding, with the vocabulary of one model. */
export class TextTokenizer {
  private readonly tokenizer: Tokenizer;
  private readonly eos: number;

  /**
   * @param definition the content of a tokenizer.json
   * @throws ModelError `format` where it is none, or none that puts a BOS and an EOS around a text.
   */
  constructor(definition: object) {
    try {
      this.tokenizer = new Tokenizer(definition, {});
      const { ids } = this.tokenizer.encode('');
      if (ids.length !== 2) throw new Error(`it adds ${ids.length} tokens to a text, expected 2`);
      this.eos = ids[1];
    } catch (cause) {
      throw new ModelError('format', `not CLIP's tokenizer: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  encode(text: string): EncodedText {
    // CLIP's tokenizer lower-cases each letter for itself: JavaScript makes a sigma that ends a word ς.
    const { ids } = this.tokenizer.encode(text.replaceAll('Σ', 'σ'));
    const tokens = ids.length > LENGTH ? [...ids.slice(0, LENGTH - 1), this.eos] : ids;
    const padding = LENGTH - tokens.length;
    return {
      inputIds: [...tokens, ...Array<number>(padding).fill(this.eos)],
      attentionMask: [...Array<number>(tokens.length).fill(1), ...Array<number>(padding).fill(0)],
    };
  }
}

const loaded = new LRUCache<string, Promise<TextTokenizer>>({ max: 8 });

/**
 * The tokenizer of a `tokenizer.json`, read once per version of the file.
 *
 * @throws ModelError `not-found` without the file, `format` where it is no tokenizer of CLIP's kind.
 */
export async function loadTokenizer(file: string): Promise<TextTokenizer> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) throw new ModelError('not-found', `${file} is missing; pull or add the model again`);
  const key = `${file} ${stat.mtimeMs} ${stat.size}`;
  const known = loaded.get(key);
  if (known) return known;
  const tokenizer = readTokenizer(file);
  loaded.set(key, tokenizer);
  tokenizer.catch(() => loaded.delete(key));
  return tokenizer;
}

async function readTokenizer(file: string): Promise<TextTokenizer> {
  try {
    return new TextTokenizer((await Bun.file(file).json()) as object);
  } catch (cause) {
    throw new ModelError('format', `${file}: ${(cause as Error).message}`, { cause });
  }
}
