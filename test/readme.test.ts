/** The README's commands and examples do what it says. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { decodeMask } from '../src/client/index.ts';
import { readConfig } from '../src/config.ts';
import { type RunningServer, startServer } from '../src/server.ts';
import { type VideoServer, videoFixture, videoServer } from '../src/video/server_fixture.ts';
import { describe as describeVideo, test as videoTest } from './video_library.ts';

const root = join(import.meta.dir, '..');
const readme = await Bun.file(join(root, 'README.md')).text();
const blocks = [...readme.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, code]) => ({
  language,
  code: code.trim(),
}));
const block = (language: string, word: string) =>
  blocks.find((candidate) => candidate.language === language && candidate.code.includes(word))
    ?.code ?? '';

const DEMO = 'models/embedded/segment-demo.jpg';
/** Its prompts, and the masks that are right. */
const scene: {
  readonly width: number;
  readonly height: number;
  readonly click: number[];
  readonly box: number[];
  readonly truth: { readonly click: string; readonly box: string; readonly text: string[] };
} = await Bun.file(join(root, DEMO.replace('.jpg', '.json'))).json();

/** The same of the frame that poses are estimated in. */
const poseScene: { readonly click: number[]; readonly pose: number[][] } = await Bun.file(
  join(root, 'test/fixtures/pose-demo/scene.json'),
).json();

// Examples start programs, and machines may be busy.
setDefaultTimeout(60_000);

const KEY = 'sk-your-api-key';
let server: RunningServer;
let out: string;

beforeAll(async () => {
  out = mkdtempSync(join(tmpdir(), 'triptych-readme-'));
  for (const folder of ['models', 'src', 'test'])
    symlinkSync(join(root, folder), join(out, folder));
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
async function run(command: string[], code: string, cwd = out, url = server.url): Promise<string> {
  const file = join(out, 'example');
  writeFileSync(
    file,
    code
      .replaceAll('http://127.0.0.1:8000/', url.href)
      .replaceAll('http://127.0.0.1:8000', url.origin),
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
  videoTest('the first sets everything up and runs the demo', async () => {
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
    const segments = ['click', 'box', 'text'].map((name) => `segment-${name}.png`);
    for (const name of ['depth.png', 'cloud.ply', 'view.png', ...segments]) {
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
    const ids = [...block('text', 'models pull').matchAll(/models pull (\S+)/g)];
    expect(ids).toHaveLength(4);
    for (const [, id] of ids) expect(text).toContain(`${id} `);
  });

  test('models pull --help tells of every variable in the table', async () => {
    const help = await run(['sh'], 'bun run --silent models pull --help', root);
    const rows = [...readme.matchAll(/^\| (`[A-Z_`, ]+`) +\|/gm)].map(([, names]) => names);
    const variables = rows.join().match(/[A-Z_]+/g) ?? [];
    expect(variables).toHaveLength(8);
    for (const variable of variables) expect(help).toContain(variable);
  });
});

describe('the examples of depth', () => {
  test.skipIf(!installed('curl'))('curl', async () => {
    await run(['sh'], block('bash', '/metric_depth'));
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
    const text = await run(['python3'], block('python', '/pc'));
    expect(text).toMatch(/^\[307200, 3\] \d+\.\d+ \d+\.\d+ metre$/m);
  });
});

describe('the examples of segmentation', () => {
  test.skipIf(!installed('curl'))('curl draws what the text names', async () => {
    await run(['sh'], block('bash', '/api/v1/image/segment'));
    const drawn = await sharp(join(out, 'cubes.png')).raw().toBuffer();
    const before = await sharp(join(root, DEMO)).raw().toBuffer();
    expect(drawn.length).toBe(before.length);
    // JPEG is decoded alike, so what differs is drawn: on both cubes, not beside them.
    const { truth } = scene;
    const inside = truth.text.map((counts) => changed(drawn, before, decodeMask(counts, scene)));
    for (const share of inside) expect(share).toBeGreaterThan(0.5);
    expect(changed(drawn, before, decodeMask(truth.box, scene))).toBeLessThan(0.5);
  });

  test('TypeScript finds what is clicked and boxed', async () => {
    const code = block('ts', 'segmentImage');
    expect(code).toContain(`[[${scene.click.join(', ')}]]`);
    expect(code).toContain(`box: [${scene.box.join(', ')}]`);
    const text = await run(['bun', 'run'], code);
    const found = [...text.matchAll(/^prompt (\d): (\d+) pixels$/gm)].map(([, i, n]) => [+i, +n]);
    expect(found.map(([prompt]) => prompt)).toEqual([0, 1]);
    for (const [prompt, pixels] of found) {
      const truth = sum(decodeMask(prompt === 0 ? scene.truth.click : scene.truth.box, scene));
      expect(pixels / truth).toBeWithin(0.7, 1.4);
    }
  });

  test.skipIf(!installed('python3'))('Python finds the cubes and no cat', async () => {
    const text = await run(['python3'], block('python', 'cached-features'));
    const [cubes, sphere, cat] = text.split('\n');
    expect(cubes).toMatch(/^purple cube [1-9]\d* \[\[0\.\d+/);
    expect(sphere).toMatch(/^orange ball [1-9]/);
    expect(cat).toBe('cat 0 []');
  });
});

describeVideo('the examples of video, with a tiny SAM 3', () => {
  let tiny: VideoServer;
  beforeAll(async () => {
    tiny = await videoServer({ apiKey: KEY });
    cpSync(videoFixture('h264.mp4'), join(out, 'street.mp4'));
  });
  afterAll(async () => {
    expect(tiny.uploadedFiles()).toEqual([]);
    await tiny.stop();
  });

  test.skipIf(!installed('curl'))('curl', async () => {
    const text = await run(['sh'], block('bash', '/api/v1/video/session'), out, tiny.url);
    expect(text).toContain('"session_id":"street"');
    expect(text).toContain('"obj_id":[1]');
    expect(text).toContain('"status":"closed"');
    const lines = (await Bun.file(join(out, 'street.ndjson')).text()).trimEnd().split('\n');
    expect(lines).toHaveLength(41);
    expect(JSON.parse(lines[40])).toEqual({ type: 'complete', total_frames: 40 });
  });

  test('TypeScript', async () => {
    const text = await run(['bun', 'run'], block('ts', 'propagateStream'), out, tiny.url);
    const frames = [...text.matchAll(/^frame (\d+): 1 \(0(?:\.\d+)?\)$/gm)].map(([, i]) => +i);
    expect(frames).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  test('TypeScript, with the embedded model', async () => {
    const text = await run(['bun', 'run'], block('ts', 'propagateStream'));
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^frame 39: 1 \(0(?:\.\d+)?\)$/);
  });
});

describe('the examples of object pose', () => {
  test.skipIf(!installed('curl'))('curl finds the clicked object', async () => {
    const code = block('bash', '/api/v1/pose/estimate');
    expect(code).toContain(`[[${poseScene.click.join(', ')}]]`);
    const { objects } = JSON.parse(await run(['sh'], code));
    expect(objects[0].mask_source).toBe('prompt');
    expectPlace(objects[0].pose);
  });

  test('TypeScript estimates, then tracks', async () => {
    const text = await run(['bun', 'run'], block('ts', 'estimatePose'));
    expect(text).toMatch(/^geometric, (0\.\d\d|1\.00) \[/);
    expect(text.match(/\[/g)).toHaveLength(10);
  });

  test.skipIf(!installed('python3'))('Python asks the documented route', async () => {
    const text = await run(['python3'], block('python', '/foundationpose'));
    const [status, ...rows] = text.trim().split('\n');
    expect(status).toBe('Pose estimation complete geometric');
    expectPlace(rows.map((row) => JSON.parse(row)));
  });

  /** Within a centimetre: the routes' own tests hold the whole pose to less. */
  function expectPlace(pose: number[][]) {
    expect(pose).toHaveLength(4);
    for (const row of [0, 1, 2]) expect(pose[row][3]).toBeCloseTo(poseScene.pose[row][3], 2);
  }
});

/** Share of a mask's pixels whose colour differs by more than a little. */
function changed(a: Uint8Array, b: Uint8Array, mask: Uint8Array): number {
  const differs = (i: number) => [0, 1, 2].some((c) => Math.abs(a[3 * i + c] - b[3 * i + c]) > 8);
  return mask.reduce((count, inside, i) => count + Number(inside && differs(i)), 0) / sum(mask);
}

function sum(mask: Uint8Array): number {
  return mask.reduce((total, value) => total + value, 0);
}

test('the files it links to are there', () => {
  for (const [, path] of readme.matchAll(/\]\((?!http|#)([^)]+)\)/g)) {
    expect([path, existsSync(join(root, path))]).toEqual([path, true]);
  }
});
