import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** As `bun run demo` does, in a folder, but without the models that this machine has installed. */
export async function runDemoCommand(folder: string, args: readonly string[]) {
  const child = Bun.spawn([process.execPath, MAIN, 'demo', ...args], {
    cwd: folder,
    env: { ...process.env, TRIPTYCH_HOME: join(folder, 'no-models'), NO_COLOR: '1' },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out, error };
}
