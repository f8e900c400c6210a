import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { maxAbsoluteError } from '../../test/numbers.ts';
import { HttpError } from '../api/errors.ts';
import { plainFields } from './prompt_fields.ts';
import type { PromptFields } from './prompt_schema.ts';
import { planPrompts, planRefinement } from './prompts.ts';

const text = (words: string): PromptFields => ({ type: 'text', text: words });
const box = (label = true, cx = 0.5): PromptFields => ({
  type: 'box',
  box: [cx, 0.5, 0.2, 0.4],
  label,
});
const point: PromptFields = { type: 'point', points: [[0.3, 0.4]], point_labels: [1] };

describe('a request of prompts', () => {
  test('each text is one concept, and all boxes are its exemplars', () => {
    const plan = planPrompts([box(false, 0.2), text('cat'), point, text(' red\n car '), box()]);
    expect(plan.map(({ index, ask }) => [index, ask.type])).toEqual([
      [1, 'concept'],
      [2, 'click'],
      [3, 'concept'],
    ]);
    expect(plan[0].ask).toMatchObject({ type: 'concept', text: 'cat' });
    expect(plan[2].ask).toMatchObject({ type: 'concept', text: 'red car' });
    for (const { ask } of [plan[0], plan[2]]) {
      const exemplars = ask.type === 'concept' ? ask.exemplars : [];
      expect(exemplars.map(({ positive }) => positive)).toEqual([false, true]);
      expect(maxAbsoluteError(exemplars[0].box, [0.1, 0.3, 0.3, 0.7])).toBeLessThan(1e-12);
      expect(maxAbsoluteError(exemplars[1].box, [0.4, 0.3, 0.6, 0.7])).toBeLessThan(1e-12);
    }
  });

  test('boxes without a text are one concept, at the first positive one', () => {
    const plan = planPrompts([box(false), box(), box()]);
    expect(plan).toHaveLength(1);
    expect(plan[0]).toMatchObject({ index: 1, ask: { type: 'concept', text: 'visual' } });
    expect(() => planPrompts([point, box(false)])).toThrow('prompts.1.label');
  });

  test('in mode "instance" each positive box is an object, beside texts as well', () => {
    const plan = planPrompts([box(), text('cat'), box()], 'instance');
    expect(plan.map(({ index, ask }) => [index, ask.type])).toEqual([
      [0, 'click'],
      [1, 'concept'],
      [2, 'click'],
    ]);
    expect(plan[1].ask).toMatchObject({ exemplars: [] });
    expect(plan[0].ask).toMatchObject({ points: [], labels: [] });
    expect(() => planPrompts([box(), box(false)], 'instance')).toThrow('prompts.1.label');
  });

  test('points may come with a box, and without labels are inside', () => {
    const [{ ask }] = planPrompts([{ points: [[0, 1]], box: [0.5, 0.5, 1, 1] }]);
    expect(ask).toEqual({ type: 'click', points: [[0, 1]], labels: [1], box: [0, 0, 1, 1] });
  });

  test('points that are all outside need a box', () => {
    const outside = { points: [[0.1, 0.1]], point_labels: [0] };
    expect(() => planPrompts([outside])).toThrow('prompts.0.point_labels');
    expect(planPrompts([{ ...outside, box: [0.5, 0.5, 1, 1] }])).toHaveLength(1);
  });

  test.each<[string, PromptFields, string]>([
    ['says nothing', {}, 'prompts.0: expected text, box or points'],
    ['lacks what its type needs', { type: 'box', text: 'a' }, 'prompts.0.box: required'],
    ['has what its type does not take', { type: 'text', text: 'a', box: [0, 0, 1, 1] }, '.box'],
    ['is a negative text', { text: 'a', label: false }, 'prompts.0.label'],
    ['is blank', { text: ' \n' }, 'prompts.0.text'],
    ['has no area', { box: [0.5, 0.5, 0, 0.1] }, 'prompts.0.box'],
  ])('is refused when one %s', (_, prompt, message) => {
    expect(() => planPrompts([prompt])).toThrow(HttpError);
    expect(() => planPrompts([prompt])).toThrow(message);
  });

  test('any box inside [0, 1] becomes corners inside the image, in order', () => {
    const side = fc.double({ min: 1e-6, max: 1, noNaN: true });
    const centre = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(centre, centre, side, side, (cx, cy, w, h) => {
        const [{ ask }] = planPrompts([{ box: [cx, cy, w, h] }], 'instance');
        const [x0, y0, x1, y1] = ask.type === 'click' && ask.box ? ask.box : [1, 1, 0, 0];
        expect(0 <= x0 && x0 < x1 && x1 <= 1 && 0 <= y0 && y0 < y1 && y1 <= 1).toBe(true);
        expect(x0 <= cx && cx <= x1 && y0 <= cy && cy <= y1).toBe(true);
      }),
    );
  });
});

describe("a body's fields", () => {
  test('lose their nulls, and types their capitals', () => {
    const prompts = [{ type: 'TEXT', text: 'a', box: null, points: null }];
    expect(plainFields({ prompts, model: null, image: 'x' })).toEqual({
      image: 'x',
      prompts: [{ type: 'text', text: 'a' }],
    });
  });

  test('are refused where they are no lists or objects, by their own names', () => {
    const refused: readonly [unknown, string][] = [
      ['text', 'prompts: expected a list, given "text"'],
      [7, 'prompts: expected a list, given 7'],
      [{ length: 1e9 }, 'prompts: expected a list, given {"length":1000000000}'],
      [[null], 'prompts.0: expected an object, given null'],
      [[{ text: 'a' }, [1]], 'prompts.1: expected an object, given [1]'],
      [[{ points: { length: 1e9 } }], 'prompts.0.points: expected a list'],
      [[{ points: [[0, 0], 'xy'] }], 'prompts.0.points.1: expected a list, given "xy"'],
    ];
    for (const [prompts, message] of refused) {
      expect(() => plainFields({ prompts })).toThrow(message);
    }
    expect(plainFields({ prompts: null })).toEqual({});
  });

  test('are refused where a list is too long to be checked', () => {
    const many = new Array(1000).fill({ text: 'a' });
    expect(() => plainFields({ prompts: many })).toThrow(
      'prompts: expected at most 64, given 1000',
    );
    expect(() => plainFields({ text_prompts: many })).toThrow('text_prompts');
    const points = new Array(1000).fill([0, 0]);
    expect(() => plainFields({ prompts: [{ points }] })).toThrow('prompts.0.points');
  });
});

describe('a correction', () => {
  test('is all points together, and the box', () => {
    const one = { type: 'point' as const, points: [[0.1, 0.2]], point_labels: [0] };
    const other = { points: [[0.3, 0.4]] };
    expect(planRefinement([one, other, { box: [0.5, 0.5, 0.2, 0.4] }])).toEqual({
      type: 'click',
      points: [
        [0.1, 0.2],
        [0.3, 0.4],
      ],
      labels: [0, 1],
      box: [0.4, 0.3, 0.6, 0.7],
    });
  });

  test('may be a point outside alone, which starts no object', () => {
    const outside = { points: [[0.1, 0.2]], point_labels: [0] };
    expect(planRefinement([outside]).labels).toEqual([0]);
    expect(() => planPrompts([outside])).toThrow('all points are outside');
  });

  test('has no text, no second box, and no box that is not meant', () => {
    const box = { box: [0.5, 0.5, 0.2, 0.4] };
    expect(() => planRefinement([{ text: 'car' }])).toThrow('prompts.0.text');
    expect(() => planRefinement([box, box])).toThrow('prompts.1.box');
    expect(() => planRefinement([{ ...box, label: false }])).toThrow('prompts.0.label');
  });
});
