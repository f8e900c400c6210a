/** The document's cURL example, on a real frame: a watering can, a fifth of it hidden. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../src/config.ts';
import { type RunningServer, startServer } from '../src/server.ts';
import { hasLmo, lmoRequest, lmoTruth } from './lmo_request.ts';

setDefaultTimeout(120_000);

const EXAMPLE = `curl -X POST http://localhost:5000/foundationpose \\
     -H "Content-Type: application/json"            \\
     -d @request.json`;

const curl = Bun.which('curl');
if (!hasLmo) console.warn('SKIPPED the cURL example on LM-O: no ../shared/data/pose/lmo');
else if (!curl) console.warn('SKIPPED the cURL example on LM-O: curl is not installed');

describe.skipIf(!hasLmo || !curl)('the document’s cURL example on LM-O, object 5', () => {
  let server: RunningServer;
  let folder: string;

  beforeAll(async () => {
    const flags = { device: 'cpu', host: '127.0.0.1', port: '0' };
    server = await startServer(readConfig(flags, {}));
    folder = mkdtempSync(join(tmpdir(), 'triptych-lmo-'));
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  async function send(request: object) {
    await Bun.write(join(folder, 'request.json'), JSON.stringify(request));
    const command = EXAMPLE.replace('http://localhost:5000', server.url.origin);
    const child = Bun.spawn(['sh', '-c', `${command} -sS`], { cwd: folder, stdout: 'pipe' });
    return JSON.parse(await child.stdout.text());
  }

  test('answers within 5° and 15 mm of the ground truth', async () => {
    const answer = await send(await lmoRequest());
    expect(answer.status).toBe('Pose estimation complete');
    const { angle, millimetres } = errorOf(answer.transformation_matrix, await lmoTruth());
    console.log(
      `LM-O object 5: ${angle.toFixed(2)}°, ${millimetres.toFixed(2)} mm, score ${answer.score.toFixed(3)}, ` +
        `inliers ${answer.inlier_fraction.toFixed(3)}, ${answer.elapsed_ms} ms`,
    );
    expect(angle).toBeLessThan(5);
    expect(millimetres).toBeLessThan(15);
    expect(answer.inlier_fraction).toBeGreaterThan(0.5);
  });

  test('says that its mesh is in millimetres when it is sent as metres', async () => {
    const { mesh_scale: _, ...request } = await lmoRequest();
    const answer = await send(request);
    expect(answer.error).toBe('Pose estimation failed');
    expect(answer.details).toMatch(/a ratio of \d+.*likely in mm .*send mesh_scale 0\.001/);
  });
});

function errorOf(
  rows: readonly (readonly number[])[],
  { cam_R_m2c: rotation, cam_t_m2c_mm: place }: Awaited<ReturnType<typeof lmoTruth>>,
) {
  let trace = 0;
  for (let i = 0; i < 9; i++) trace += rows[Math.floor(i / 3)][i % 3] * rotation[i];
  const angle = Math.acos(Math.min(1, (trace - 1) / 2)) * (180 / Math.PI);
  const millimetres = Math.hypot(...place.map((value, axis) => value - 1000 * rows[axis][3]));
  return { angle, millimetres };
}
