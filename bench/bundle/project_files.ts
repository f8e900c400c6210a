/**
 * Files of the project that the machine needs, from the repository's root: everything that runs,
 * with its tests, their fixtures and the documents that they try, but nothing that makes models.
 */
const PATTERNS = [
  '*.md',
  'package.json',
  'bunfig.toml',
  'tsconfig.json',
  'src/**/*',
  'kernels/**/*',
  'models/embedded/**/*',
  'test/**/*',
  'bench/**/*',
];
const LEFT_OUT = /^bench\/results\//;

/** Paths from the root, sorted. */
export async function projectFiles(root: string): Promise<string[]> {
  const found = PATTERNS.map((pattern) =>
    Array.fromAsync(new Bun.Glob(pattern).scan({ cwd: root, onlyFiles: true })),
  );
  return (await Promise.all(found))
    .flat()
    .filter((path) => !LEFT_OUT.test(path))
    .sort();
}

/** The programs that run there: what they import, and no more, is taken of each package. */
export function entryPoints(files: readonly string[]): string[] {
  const programs = ['src/main.ts', 'src/engine_worker.ts', 'bench/main.ts', 'bench/gpu_probe.ts'];
  const loaded = /\.test\.ts$|\.bench\.ts$|^test\/.*worker\.ts$|^bench\/engine_worker\.ts$/;
  return [...programs, ...files.filter((path) => loaded.test(path))];
}
