import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ListedModel } from './listing.ts';
import { encodeDepthModel, encodeOnnx, noise } from './onnx_fixture.ts';
import { answerStatus, RangeHost } from './range_host.ts';
import { segmentFiles, writeFiles } from './segment_fixture.ts';
import type { ModelVerdict } from './verify.ts';

/** Its hash is not pinned, so that any depth graph can stand for it here. */
const ID = 'depth-anything-v2-large-q4f16';
const PATH = 'model_q4f16.onnx';
const GRAPH = encodeDepthModel({
  input: 'pixel_values',
  output: 'predicted_depth',
  padding: 3_000_000,
});

let host: RangeHost;
let home: string;

beforeEach(async () => {
  host = await new RangeHost(GRAPH).start();
  home = await mkdtemp(join(tmpdir(), 'triptych-command-'));
});

afterEach(async () => {
  await host.stop();
  await rm(home, { recursive: true, force: true });
});

interface Finished {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function start(...args: string[]) {
  const program =
    `import { runMain } from 'citty';` +
    `import { modelsCommand } from ${JSON.stringify(join(import.meta.dir, 'command.ts'))};` +
    `await runMain(modelsCommand, { rawArgs: ${JSON.stringify(args)} });`;
  return Bun.spawn([process.execPath, '-e', program], {
    cwd: join(import.meta.dir, '../..'),
    env: {
      ...process.env,
      TRIPTYCH_HOME: home,
      TRIPTYCH_MODEL_MIRROR: host.origin(),
      NO_COLOR: '1',
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
}

async function finished(child: ReturnType<typeof start>): Promise<Finished> {
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

const models = (...args: string[]) => finished(start(...args));

async function listed(): Promise<ListedModel[]> {
  return JSON.parse((await models('list', '--json')).out) as ListedModel[];
}

describe('a life of a model', () => {
  test('pull, list, verify, damage, repair, remove', async () => {
    const pulled = await models('pull', ID, '--accept-licence');
    expect(pulled).toMatchObject({ code: 0, out: '' });
    expect(pulled.err).toContain('CC-BY-NC-4.0, non-commercial use only');
    expect(pulled.err).toContain(`${PATH} 100%, 3.0 MB of 3.0 MB`);
    expect(pulled.err).toContain('recorded on first download, not pinned');
    expect(host.seen[0].path).toBe(`/${ID}/${PATH}`);

    const table = (await models('list')).out.split('\n');
    expect(table.find((line) => line.startsWith(`${ID} `))).toMatch(/3\.0 MB .*\(!\) +installed$/);
    const installed = (await models('list', '--installed')).out;
    expect(installed).toContain(ID);
    expect(installed).not.toContain('depth-anything-v2-base');

    expect(await models('verify', ID)).toMatchObject({ code: 0, err: '' });
    const file = join(home, 'models', ID, PATH);
    const bytes = await readFile(file);
    bytes[1_000_000] ^= 1;
    await writeFile(file, bytes);
    const wrong = await models('verify', ID, '--json');
    expect(wrong.code).toBe(4);
    expect((JSON.parse(wrong.out) as ModelVerdict[])[0]).toMatchObject({ id: ID, ok: false });

    expect((await models('pull', ID, '--accept-licence', '--force')).code).toBe(0);
    expect((await models('verify')).code).toBe(0);

    expect(await models('remove', ID)).toMatchObject({ code: 0, out: `${ID} removed\n` });
    expect(existsSync(join(home, 'models', ID))).toBe(false);
    expect((await models('remove', ID)).out).toBe(`${ID} was not installed\n`);
    expect((await models('verify', ID)).code).toBe(1);
  }, 30_000);

  test('a registered file', async () => {
    const path = join(home, 'mine_vits.onnx');
    await writeFile(path, encodeDepthModel({ disparity: true }));
    const added = await models('add', path, '--max-depth', '12');
    expect(added).toMatchObject({ code: 0, err: '' });
    expect(added.out).toContain('local-mine-vits: metric, vits, fp32');
    const entry = (await listed()).find(({ id }) => id === 'local-mine-vits');
    expect(entry).toMatchObject({ state: 'local', maxDepth: 12, encoder: 'vits' });
    expect((await models('remove', 'local-mine-vits')).code).toBe(0);
    expect(existsSync(path)).toBe(true);
  }, 30_000);

  test('a registered folder', async () => {
    const path = join(home, 'my SAM 3');
    await writeFiles(path, segmentFiles('single-backbone'));
    const added = await models('add', path);
    expect(added).toMatchObject({ code: 0, err: '' });
    expect(added.out).toContain('local-my-sam-3: sam3, concept, click, fp32; ');
    const entry = (await listed()).find(({ id }) => id === 'local-my-sam-3');
    expect(entry).toMatchObject({ state: 'local', family: 'segment' });
    expect((await models('verify', 'local-my-sam-3')).out).toContain('single-backbone segment');
    const wrong = await models('add', path, '--kind', 'metric');
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('are of depth models');
    expect((await models('remove', 'local-my-sam-3')).code).toBe(0);
  }, 30_000);
});

describe('a pull that is stopped', () => {
  test('by Ctrl-C keeps its part, exits 130, and goes on next time', async () => {
    host.script.push((_request, response) => {
      response.writeHead(200, { 'content-length': GRAPH.length, etag: '"one"' });
      response.write(GRAPH.subarray(0, 2_000_000));
    });
    const child = start('pull', ID, '--accept-licence');
    const part = join(home, 'models', ID, `${PATH}.part`);
    while ((await stat(part).catch(() => ({ size: 0 }))).size < 2_000_000) await Bun.sleep(20);
    child.kill('SIGINT');
    const stopped = await finished(child);
    expect(stopped.code).toBe(130);
    expect(stopped.err).toContain('goes on where a download stopped');
    expect((await listed()).find(({ id }) => id === ID)?.state).toBe('partial');
    expect((await models('pull', ID, '--accept-licence')).code).toBe(0);
    expect(host.seen.at(-1)?.headers.range).toBe('bytes=2000000-');
  }, 30_000);

  test('is not in the way of a verify of everything', async () => {
    host.script.push(answerStatus(404));
    expect((await models('pull', ID, '--accept-licence')).code).toBe(1);
    expect((await models('verify')).code).toBe(0);
  }, 30_000);
});

describe('exit codes and errors', () => {
  const cases: [string, string[], number, string][] = [
    ['licence not accepted', ['pull', ID], 3, '--accept-licence'],
    ['unknown model', ['pull', 'depth-anything-v9'], 2, 'no model is called'],
    ['no model', ['remove'], 2, 'no model was named'],
    ['unknown flag', ['pull', ID, '--ofline'], 2, '--ofline is not a flag'],
    ['offline', ['pull', ID, '--accept-licence', '--offline'], 1, 'network is not to be used'],
    ['path for an id', ['remove', '../../etc'], 2, 'no model is called'],
    ['embedded', ['remove', 'depth-mini'], 2, 'part of the repository'],
    ['missing file', ['add', '/nowhere/x.onnx'], 1, '/nowhere/x.onnx'],
    ['conditions not accepted', ['pull', 'sam3-concept-q8'], 3, 'conditions on use'],
    ['bad number', ['add', 'x.onnx', '--max-depth', '-1'], 2, 'above 0'],
    ['missing folder', ['pull', ID, '--accept-licence', '--from', '/nowhere'], 1, '/nowhere'],
  ];

  test.each(cases)('%s', async (_name, args, code, message) => {
    const result = await models(...args);
    expect(result.err).toContain(message);
    expect(result.err).not.toContain('    at ');
    expect(result.code).toBe(code);
    expect(host.seen).toEqual([]);
  });

  test('what is no depth model exits 4 and is not kept', async () => {
    host.bytes = noise(5000);
    const result = await models('pull', ID, '--accept-licence');
    expect(result.code).toBe(4);
    expect(result.err).toContain('not an ONNX model');
    const other = join(home, 'other.onnx');
    await writeFile(other, encodeOnnx({ inputs: [], outputs: [{ name: 'y', dims: [1] }] }));
    expect((await models('add', other)).code).toBe(4);
  }, 30_000);
});
