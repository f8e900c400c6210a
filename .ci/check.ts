/** `bun run check`: format, lint, types, dead code and import cycles, each to its end. */
const CHECKS: readonly (readonly string[])[] = [
  ['biome', 'ci', '--error-on-warnings', '.'],
  ['tsc', '--noEmit', '--project', '.'],
  ['knip'],
  [
    'dpdm',
    '--no-tree',
    '--no-warning',
    '--exit-code',
    'circular:1',
    'src/main.ts',
    'src/engine_worker.ts',
    'src/client/index.ts',
  ],
];

const failed: string[] = [];
for (const check of CHECKS) {
  console.log(`\n$ ${check.join(' ')}`);
  const { exitCode } = Bun.spawnSync(['bunx', '--bun', '--no-install', ...check], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (exitCode !== 0) failed.push(check[0]);
}
console.log(failed.length === 0 ? '\nAll checks passed.' : `\nFailed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
