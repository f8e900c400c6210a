/**
 * Large fixtures are kept as `.br` (Brotli), so that the repository stays small, and unpacked beside
 * themselves before the tests; git ignores what is unpacked.
 *
 *     bun test/packed_fixtures.ts pack    # after a script in models/export has made some anew
 *     bun test/packed_fixtures.ts         # unpack, as `bun test` does
 */
import { existsSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

const ROOT = join(import.meta.dir, 'fixtures');
/** Graphs, arrays, and lists of numbers above 40 KB. */
const PACKED = [
  '*/*.{npy,onnx}',
  '{mask-rle,pose-kernels,pose-learned,pose-refine,resize-antialias,segment-parity}/manifest.json',
  'mesh/trimesh.json',
];

/** The smallest, with a window that spans each file. */
const LEAST = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
};

function filesLike(pattern: string): string[] {
  return [...new Bun.Glob(pattern).scanSync({ cwd: ROOT, absolute: true })];
}

/** Unpacks each `.br` that is newer than what was unpacked of it. */
function unpackFixtures(): void {
  for (const path of filesLike('*/*.br')) {
    const target = path.slice(0, -'.br'.length);
    const { mtime } = statSync(path);
    if (existsSync(target) && statSync(target).mtimeMs >= mtime.getTime()) continue;
    // Another test run may be doing the same.
    const draft = `${target}.${process.pid}.tmp`;
    writeFileSync(draft, brotliDecompressSync(readFileSync(path)));
    utimesSync(draft, mtime, mtime);
    renameSync(draft, target);
  }
}

function packFixtures(): void {
  for (const path of PACKED.flatMap(filesLike)) {
    const content = readFileSync(path);
    const packed = `${path}.br`;
    const isSame = existsSync(packed) && content.equals(brotliDecompressSync(readFileSync(packed)));
    if (isSame) continue;
    writeFileSync(packed, brotliCompressSync(content, LEAST));
    const { mtime } = statSync(path);
    utimesSync(packed, mtime, mtime);
  }
}

if (import.meta.main && process.argv[2] === 'pack') packFixtures();
else unpackFixtures();
