import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../config.ts';
import { type RunningServer, startServer } from '../server.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-readme-'));
  const flags = { device: 'cpu', host: '127.0.0.1', port: '0', apiKey: 'sk-your-api-key' };
  server = await startServer(readConfig(flags, {}));
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

test("the README's code runs as it stands, apart from its address and its picture", async () => {
  const readme = await Bun.file(here('./README.md')).text();
  const [, code] = /```ts\n([\s\S]+?)```/.exec(readme) ?? [];
  const script = join(folder, 'readme.ts');
  const placed = code
    .replace('./src/client/index.ts', here('./index.ts'))
    .replace('http://127.0.0.1:8000', server.url.href)
    .replaceAll('room.jpg', here('../../models/embedded/demo.jpg'));
  await Bun.write(script, placed);
  const child = Bun.spawn([process.execPath, script], { stdout: 'pipe', stderr: 'pipe' });
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect({ code: await child.exited, error }).toEqual({ code: 0, error: '' });
  expect(out).toMatch(/^cpu \(/);
  expect(out).toMatch(/^307200 points, [\d.]+ to [\d.]+ metre$/m);
  expect(out).toMatch(/^\[ 480, 640 \] true depth-mini$/m);
  expect(out).toMatch(/^422 model_input_size: expected a multiple of 14/m);
});
