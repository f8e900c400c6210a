/** The README's commands and examples do what it says. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  const flags = { device: 'cpu', host: '127.0.0.1', port: '0', apiKey: KEY };
  server = await startServer(readConfig(flags, {}));
});
afterAll(async () => {
  await server.stop();
  rmSync(out, { recursive: true });
});

/** Runs an example against the test's server, and returns what it printed. */
async function run(command: string[], code: string): Promise<string> {
  const file = join(root, `.readme-example-${process.pid}`);
  writeFileSync(
    file,
    code
      .replaceAll('http://127.0.0.1:8000/', server.url.href)
      .replaceAll('http://127.0.0.1:8000', server.url.origin),
  );
  try {
    const child = Bun.spawn([...command, file], {
      cwd: root,
      env: { ...process.env, OUT: out },
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [text, errors, status] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    expect({ errors, status }).toEqual({ errors: '', status: 0 });
    return text;
  } finally {
    rmSync(file);
  }
}

function installed(program: string): boolean {
  if (Bun.which(program)) return true;
  console.warn(`SKIPPED the README's ${program} example: ${program} is not installed`);
  return false;
}

describe('the commands', () => {
  test('the first sets everything up and runs the demo', async () => {
    const { version } = Bun;
    expect(blocks[0].code).toBe(`npm install -g bun@${version} && bun install && bun run demo`);
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
    const child = Bun.spawn(['bun', 'start', '--help'], {
      cwd: root,
      stdout: 'pipe',
      stderr: 'ignore',
    });
    const help = await new Response(child.stdout).text();
    for (const flag of flags) expect(help).toContain(`--${flag.split(' ')[0]}`);
  });

  test('models list lists', async () => {
    const text = await run(
      ['sh'],
      block('bash', 'models list').replace('bun run', 'bun run --silent'),
    );
    const [, , , , id] = block('text', 'models pull').split(' ');
    expect(text).toContain(id);
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
