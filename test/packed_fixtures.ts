/**
 * Large fixtures are kept as `.gz`, so that the repository stays small, and unpacked beside
 * themselves before the tests; git ignores what is unpacked.
 *
 *     bun test/packed_fixtures.ts pack    # after a script in models/export has made some anew
 *     bun test/packed_fixtures.ts         # unpack, as `bun test` does
 */
import { existsSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dir, 'fixtures');
/** Graphs, lists of numbers above 40 KB, and arrays that lose a quarter or more. */
const PACKED = [
  '*/*.onnx',
  '{mask-rle,pose-kernels,pose-learned,pose-refine,resize-antialias,segment-parity}/manifest.json',
  'mesh/trimesh.json',
  'segment-parity/photo.pixels.npy',
  'video-parity/{masks,logits}.npy',
];

function filesLike(pattern: string): string[] {
  return [...new Bun.Glob(pattern).scanSync({ cwd: ROOT, absolute: true })];
}

/** Unpacks each `.gz` that is newer than what was unpacked of it. */
function unpackFixtures(): void {
  for (const path of filesLike('*/*.gz')) {
    const target = path.slice(0, -'.gz'.length);
    const { mtime } = statSync(path);
    if (existsSync(target) && statSync(target).mtimeMs >= mtime.getTime()) continue;
    // Another test run may be doing the same.
    const draft = `${target}.${process.pid}.tmp`;
    writeFileSync(draft, Bun.gunzipSync(readFileSync(path)));
    utimesSync(draft, mtime, mtime);
    renameSync(draft, target);
  }
}

function packFixtures(): void {
  for (const path of PACKED.flatMap(filesLike)) {
    const content = readFileSync(path);
    const packed = `${path}.gz`;
    const isSame = existsSync(packed) && content.equals(Bun.gunzipSync(readFileSync(packed)));
    if (isSame) continue;
    writeFileSync(packed, Bun.gzipSync(content, { level: 9 }));
    const { mtime } = statSync(path);
    utimesSync(packed, mtime, mtime);
  }
}

if (import.meta.main && process.argv[2] === 'pack') packFixtures();
else unpackFixtures();
