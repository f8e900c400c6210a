import { chmod, copyFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheDirectory } from '../src/cache.ts';
import { renderTable } from '../src/models/table.ts';
import { measureParts, pack, strip } from './bundle/archive.ts';
import { packageFiles } from './bundle/package_files.ts';
import { entryPoints, projectFiles } from './bundle/project_files.ts';
import { commitName } from './commit.ts';

/**
 * `bun run bench:bundle [--native-cpu] [--parts] [--out folder]`
 *
 * Packs what an offline Linux x64 machine with a GPU needs into `<out>/triptych-gpu.tar.xz`, and
 * puts `run-gpu.sh`, which unpacks and runs it, beside it. Needs tar and xz, on Linux x64.
 *
 * --native-cpu  takes onnxruntime-node's library along, which makes the archive too large for
 *               the limit; without it CPU models run there on onnxruntime's WebAssembly build
 * --parts       also packs each of the largest files alone, to show what the size is made of
 */
const { values } = parseArgs({
  options: {
    'native-cpu': { type: 'boolean', default: false },
    parts: { type: 'boolean', default: false },
    out: { type: 'string', default: 'out' },
  },
});

const ROOT = join(import.meta.dir, '..');
const NAME = 'triptych-gpu';
const LIMIT_BYTES = 60e6;
const STAND_IN = 'node_modules/onnxruntime-node';
const RUN_SCRIPT = join(ROOT, 'bench/bundle/run-gpu.sh');

/** The bundle's files, from the folder above its own: those of Bun and packages, and the rest. */
interface Staged {
  readonly packages: readonly string[];
  readonly project: readonly string[];
}

/** Lays out the bundle in a folder. */
async function stage(folder: string): Promise<Staged> {
  const project = await projectFiles(ROOT);
  const reached = await packageFiles(ROOT, entryPoints(project));
  const packages = reached.filter((path) => values['native-cpu'] || !path.startsWith(STAND_IN));
  for (const path of [...project, ...packages]) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(ROOT, path), target);
    if (path.endsWith('dawn.node')) await strip(target);
  }
  await mkdir(join(folder, 'bin'), { recursive: true });
  await copyFile(process.execPath, join(folder, 'bin/bun'));
  await chmod(join(folder, 'bin/bun'), 0o755);
  await placeRunScript(folder);
  await Bun.write(join(folder, 'commit'), `${await commitName()}\n`);
  const made = values['native-cpu'] ? [] : await placeStandIn(folder);
  const below = (paths: readonly string[]) => paths.map((path) => join(NAME, path));
  return {
    packages: below(['bin/bun', ...packages]),
    project: below([...project, 'run-gpu.sh', 'commit', ...made]),
  };
}

async function placeRunScript(folder: string): Promise<void> {
  await copyFile(RUN_SCRIPT, join(folder, 'run-gpu.sh'));
  await chmod(join(folder, 'run-gpu.sh'), 0o755);
}

/** The package that answers to the native one's name. */
async function placeStandIn(folder: string): Promise<string[]> {
  const manifest = { name: 'onnxruntime-node', version: '0.0.0', type: 'module', main: 'index.ts' };
  await Bun.write(join(folder, STAND_IN, 'package.json'), JSON.stringify(manifest));
  const source = new URL('./bundle/wasm_cpu.ts', import.meta.url).pathname;
  await Bun.write(join(folder, STAND_IN, 'index.ts'), Bun.file(source));
  await Bun.write(join(folder, 'cpu-runtime'), 'onnxruntime-web WebAssembly 1 thread\n');
  return ['package.json', 'index.ts'].map((name) => join(STAND_IN, name)).concat('cpu-runtime');
}

async function main(): Promise<number> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.error(`the bundle is made on Linux x64; this is ${process.platform} ${process.arch}`);
    return 1;
  }
  const out = resolve(values.out);
  await mkdir(out, { recursive: true });
  // Not below the repository, where the test runner would find the tests twice.
  const staging = await mkdtemp(join(tmpdir(), `${NAME}-`));
  const { packages, project } = await stage(join(staging, NAME));
  console.log(`${packages.length + project.length} files; packing new ones takes minutes`);
  const archive = join(out, `${NAME}.tar.xz`);
  const cache = join(cacheDirectory(), 'bundle');
  await pack(staging, packages, project, archive, cache);
  await placeRunScript(out);
  if (values.parts) {
    const parts = await measureParts(staging, [...packages, ...project]);
    console.log(renderTable(['packed MB', 'MB', 'part'], parts));
  }
  await rm(staging, { recursive: true });
  const { size } = await stat(archive);
  console.log(`${archive}: ${(size / 1e6).toFixed(1)} MB (limit ${LIMIT_BYTES / 1e6} MB)`);
  if (size < LIMIT_BYTES || values['native-cpu']) return 0;
  console.error('the archive is past its limit: bun run bench:bundle --parts shows the parts');
  return 1;
}

process.exit(await main());
