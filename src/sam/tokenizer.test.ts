import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadTokenizer } from './tokenizer.ts';

const FIXTURES = join(import.meta.dir, '../../test/fixtures');
const TINY = join(FIXTURES, 'segment-parity/tokenizer.json');

interface ParityCase {
  readonly kind: 'concept' | 'click';
  readonly text: string;
  readonly input_ids: number[];
  readonly attention_mask: number[];
}

interface GoldenCase {
  readonly text: string;
  readonly repeat: number;
  readonly ids: number[];
}

const manifest = (await Bun.file(join(FIXTURES, 'segment-parity/manifest.json')).json()) as {
  cases: ParityCase[];
};
/** By models/export/make_token_ids.py with transformers' CLIPTokenizer. */
const golden = (await Bun.file(join(FIXTURES, 'token-ids.json')).json()) as { cases: GoldenCase[] };
const tokenizer = await loadTokenizer(TINY);

describe("transformers' CLIPTokenizer", () => {
  const concepts = manifest.cases.filter(({ kind }) => kind === 'concept');

  test.each(concepts)('parity fixture: $text', ({ text, input_ids, attention_mask }) => {
    expect(tokenizer.encode(text)).toEqual({ inputIds: input_ids, attentionMask: attention_mask });
  });

  test.each(golden.cases.map((one) => [JSON.stringify(one.text), one] as const))(
    '%s',
    (_name, { text, repeat, ids }) => {
      const { inputIds, attentionMask } = tokenizer.encode(text.repeat(repeat));
      expect(inputIds.slice(0, ids.length)).toEqual(ids);
      expect(inputIds.slice(ids.length)).toEqual(Array(32 - ids.length).fill(599));
      expect(attentionMask.reduce((sum, one) => sum + one, 0)).toBe(ids.length);
    },
  );

  test('control: texts that differ have different ids', () => {
    const all = golden.cases.map(({ text }) => tokenizer.encode(text).inputIds.join());
    expect(new Set(all).size).toBeGreaterThan(golden.cases.length * 0.7);
  });
});

describe('a text of any kind', () => {
  const shape = ({
    inputIds,
    attentionMask,
  }: {
    inputIds: readonly number[];
    attentionMask: readonly number[];
  }) => {
    expect(inputIds).toHaveLength(32);
    expect(attentionMask).toHaveLength(32);
    const count = attentionMask.lastIndexOf(1) + 1;
    expect(attentionMask.slice(0, count)).not.toContain(0);
    expect(inputIds[0]).toBe(598);
    expect(inputIds.slice(count - 1)).toEqual(Array(33 - count).fill(599));
    expect(inputIds.every((id) => Number.isInteger(id) && id >= 0 && id < 600)).toBe(true);
  };

  test('gives 32 tokens of the vocabulary, BOS first, EOS after the last', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) =>
        shape(tokenizer.encode(text)),
      ),
    );
  });

  test('half a surrogate pair and a word of 100,000 letters too', () => {
    for (const text of ['\ud800', 'a\udfff b', 'z'.repeat(100_000)]) shape(tokenizer.encode(text));
  });
});

describe('loading', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'triptych-tokenizer-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('happens once per version of the file', async () => {
    const file = join(folder, 'tokenizer.json');
    const definition = await Bun.file(TINY).text();
    await writeFile(file, definition);
    const first = await loadTokenizer(file);
    expect(await loadTokenizer(file)).toBe(first);
    await writeFile(file, `${definition}\n`);
    expect(await loadTokenizer(file)).not.toBe(first);
  });

  test('of what is no tokenizer of this kind fails with the file named, each time', async () => {
    const file = join(folder, 'tokenizer.json');
    await expect(loadTokenizer(file)).rejects.toMatchObject({ code: 'not-found' });
    const definition = (await Bun.file(TINY).json()) as Record<string, unknown>;
    const wrong = [
      '',
      'not JSON',
      '[]',
      '{}',
      JSON.stringify({ ...definition, post_processor: null }),
    ];
    for (const content of wrong) {
      await writeFile(file, content);
      for (let time = 0; time < 2; time++) {
        const failure = loadTokenizer(file);
        await expect(failure).rejects.toMatchObject({ name: 'ModelError', code: 'format' });
        await expect(failure).rejects.toThrow(file);
      }
    }
  });
});
