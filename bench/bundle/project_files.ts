/**
 * Files of the project that the machine needs, from the repository's root: everything that runs,
 * and what its tests look at, but nothing that makes models.
 */
const PATTERNS = [
  '*.{json,md,toml}',
  'LICENSE',
  '.ci/*',
  'src/**/*',
  'kernels/**/*',
  'models/embedded/**/*',
  'models/**/*.md',
  'test/**/*',
  'bench/**/*',
];

/** Paths from the root, sorted. */
export async function projectFiles(root: string): Promise<string[]> {
  const found = PATTERNS.map((pattern) =>
    Array.fromAsync(new Bun.Glob(pattern).scan({ cwd: root, onlyFiles: true, dot: true })),
  );
  return [...new Set((await Promise.all(found)).flat())].sort();
}

/** The programs that run there: what they import, and no more, is taken of each package. */
export function entryPoints(files: readonly string[]): string[] {
  const programs = ['src/main.ts', 'src/engine_worker.ts', 'bench/main.ts', 'bench/gpu_probe.ts'];
  const loaded = /\.test\.ts$|\.bench\.ts$|^test\/.*worker\.ts$|^bench\/engine_worker\.ts$/;
  return [...programs, ...files.filter((path) => loaded.test(path))];
}
