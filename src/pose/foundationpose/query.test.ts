import { expect, test } from 'bun:test';
import { isEmpty } from './query.ts';

test.each<[unknown, boolean]>([
  [{}, true],
  [[], true],
  [null, true],
  [0, true],
  ['', true],
  [{ a: null }, false],
  [[0], false],
  ['a', false],
])('%j says nothing: %p', (json, empty) => {
  expect(isEmpty(json)).toBe(empty);
});

test('a long list is not looked through', () => {
  const list = new Proxy([0], {
    ownKeys: () => {
      throw new Error('all of its keys were asked for');
    },
  });
  expect(isEmpty(list)).toBe(false);
});
