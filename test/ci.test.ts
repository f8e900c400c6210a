/** `.ci/run` in a small project of its own: what it counts and how it ends. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const RUN = join(import.meta.dir, '../.ci/run');
// It would install the version that it wants, for which a test may not use the network.
const isPinned = (await Bun.file(RUN).text()).includes(`bun@${Bun.version} `);
if (!isPinned) console.warn(`SKIPPED .ci/run: it wants another Bun than ${Bun.version}`);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-ci-'));
  await mkdir(join(folder, '.ci'));
  await copyFile(RUN, join(folder, '.ci/run'));
});
afterEach(() => rm(folder, { recursive: true }));

async function ci(tests: string, check = 'exit 0', environment: Record<string, string> = {}) {
  const project = { name: 'small', private: true, scripts: { check } };
  await Bun.write(join(folder, 'package.json'), JSON.stringify(project));
  await Bun.write(join(folder, 'small.test.ts'), `import { test } from 'bun:test';\n${tests}`);
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  const child = Bun.spawn(['bash', '.ci/run'], {
    cwd: folder,
    env: { ...process.env, PATH: path, ...environment },
    stdout: 'pipe',
    stderr: 'ignore',
  });
  const out = await child.stdout.text();
  return { code: await child.exited, last: out.trimEnd().split('\n').at(-1), out };
}

const PASS = "test('right', () => {});\n";
const FAIL = "test('wrong', () => { throw new Error('no'); });\n";
const SKIP = "test.skip('later', () => {});\n";

test.skipIf(!isPinned).each([
  ['passing tests', PASS.repeat(2), 'exit 0', '2 passed, 0 failed', 0],
  ['a failing one', PASS + FAIL, 'exit 0', '1 passed, 1 failed', 1],
  ['skipped ones', PASS + SKIP, 'exit 0', '1 passed, 0 failed', 0],
  ['a failing check', PASS, 'exit 3', '1 passed, 1 failed', 1],
  ['a file that cannot be loaded', `${PASS}throw new Error('no');`, 'exit 0', / [1-9] failed$/, 1],
  [
    'several summaries',
    `${PASS}console.log(' 40 pass\\n 0 fail');`,
    'exit 0',
    '41 passed, 0 failed',
    0,
  ],
] as const)('%s', async (_name, tests, check, last, code) => {
  const result = await ci(tests, check);
  expect(result.code).toBe(code);
  expect(result.last).toMatch(last);
  expect(result.out.includes('1 skipped')).toBe(tests.includes('skip'));
});

test.skipIf(!isPinned)('colours are not in the way', async () => {
  const { last } = await ci(PASS, 'exit 0', { FORCE_COLOR: '1' });
  expect(last).toBe('1 passed, 0 failed');
});
