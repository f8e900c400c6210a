/** The README's commands and examples do what it says. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { readConfig } from '../src/config.ts';
import { type RunningServer, startServer } from '../src/server.ts';

const root = join(import.meta.dir, '..');
const readme = await Bun.file(join(root, 'README.md')).text();
const blocks = [...readme.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, code]) => ({
  language,
  code: code.trim(),
}));
const block = (language: string, word: string) =>
  blocks.find((candidate) => candidate.language === language && candidate.code.includes(word))
    ?.code ?? '';

const KEY = 'sk-your-api-key';
let server: RunningServer;
let out: string;

beforeAll(async () => {
  out = mkdtempSync(join(tmpdir(), 'triptych-readme-'));
  for (const folder of ['models', 'src']) symlinkSync(join(root, folder), join(out, folder));
  const flags = { device: 'cpu', host: '127.0.0.1', port: '0', apiKey: KEY };
  server = await startServer(readConfig(flags, {}));
});
afterAll(async () => {
  await server.stop();
  rmSync(out, { recursive: true });
});

/**
 * Runs an example against the test's server in a folder that shows the repository's, as its paths
 * are meant from there, and returns what it printed.
 */
async function run(command: string[], code: string, cwd = out): Promise<string> {
  const file = join(out, 'example');
  writeFileSync(
    file,
    code
      .replaceAll('http://127.0.0.1:8000/', server.url.href)
      .replaceAll('http://127.0.0.1:8000', server.url.origin),
  );
  const child = Bun.spawn([...command, file], {
    cwd,
    env: { ...process.env, NO_COLOR: '1' },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [text, errors, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ]);
  expect({ errors, status }).toEqual({ errors: '', status: 0 });
  return text;
}

function installed(program: string): boolean {
  if (Bun.which(program)) return true;
  console.warn(`SKIPPED the README's ${program} example: ${program} is not installed`);
  return false;
}

describe('the commands', () => {
  test('the first sets everything up and runs the demo', async () => {
    const { version } = Bun;
    const [setUp, install, demo] = blocks[0].code.split(' && ');
    expect([setUp, install, demo]).toEqual([
      `npm install -g bun@${version}`,
      'bun install',
      'bun run demo',
    ]);
    const silent = demo.replace('bun run', 'bun run --silent');
    const text = await run(['sh'], `${silent} --out '${join(out, 'demo')}'`, root);
    expect(text).toContain('depth-mini');
    for (const name of ['depth.png', 'cloud.ply', 'view.png']) {
      expect(readme).toContain(`\`out/${name}\``);
      expect(await Bun.file(join(out, 'demo', name)).exists()).toBe(true);
    }
  });

  test('the second is what CI runs', async () => {
    expect(blocks[1].code).toBe('bun test');
    const ci = await Bun.file(join(root, '.ci/run')).text();
    expect(ci).toContain('bun test 2>&1');
    expect(ci).toContain(`npm install -g bun@${Bun.version}`);
  });

  test('serve takes the flags shown', async () => {
    const [command, ...flags] = block('bash', 'bun start').split(' --');
    expect(command).toBe('bun start');
    const help = await run(['sh'], 'bun run --silent start --help', root);
    for (const flag of flags) expect(help).toContain(`--${flag.split(' ')[0]}`);
  });

  test('models list lists', async () => {
    const text = await run(
      ['sh'],
      block('bash', 'models list').replace('bun run', 'bun run --silent'),
      root,
    );
    const [, , , , id] = block('text', 'models pull').split(' ');
    expect(text).toContain(id);
  });

  test('models pull --help tells of every variable in the table', async () => {
    const help = await run(['sh'], 'bun run --silent models pull --help', root);
    const rows = [...readme.matchAll(/^\| (`[A-Z_`, ]+`) +\|/gm)].map(([, names]) => names);
    const variables = rows.join().match(/[A-Z_]+/g) ?? [];
    expect(variables).toHaveLength(8);
    for (const variable of variables) expect(help).toContain(variable);
  });
});

describe('the examples', () => {
  test.skipIf(!installed('curl'))('curl', async () => {
    await run(['sh'], block('bash', 'curl'));
    expect(await sharp(join(out, 'depth.png')).metadata()).toMatchObject({
      width: 640,
      height: 480,
      depth: 'ushort',
    });
  });

  test('TypeScript', async () => {
    const text = await run(['bun', 'run'], block('ts', 'predictMetricDepth'));
    expect(text).toMatch(/^\d+\.\d\d to \d+\.\d\d m over 307200 pixels$/m);
  });

  test.skipIf(!installed('python3'))('Python', async () => {
    const text = await run(['python3'], block('python', 'urllib'));
    expect(text).toMatch(/^\[307200, 3\] \d+\.\d+ \d+\.\d+ metre$/m);
  });
});

test('the files it links to are there', () => {
  for (const [, path] of readme.matchAll(/\]\((?!http)([^)]+)\)/g)) {
    expect([path, existsSync(join(root, path))]).toEqual([path, true]);
  }
});
