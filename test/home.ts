/**
 * Loaded before every test file: the models that this machine's user has installed must not change
 * what the tests see. The folder keeps its name, as the software Vulkan driver is unpacked into it;
 * TRIPTYCH_TEST_HOME names another one.
 *
 * `Bun.spawn` gives a child the environment that this process was started with: tests that spawn
 * the server or its commands pass `env: { ...process.env }`.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

const { uid } = userInfo();
const home = process.env.TRIPTYCH_TEST_HOME || join(tmpdir(), `triptych-test-home-${uid}`);
mkdirSync(home, { recursive: true, mode: 0o700 });
// Libraries are loaded from it: what another user has put there first must not be.
if (lstatSync(home).uid !== uid) {
  throw new Error(`${home} belongs to another user: set TRIPTYCH_TEST_HOME to a folder of yours`);
}
process.env.TRIPTYCH_HOME = home;
