import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import type { DepthAnswer, PointCloudAnswer } from '../src/depth/schema.ts';
import { openStore } from '../src/models/store.ts';
import { createServer } from '../src/server.ts';

export interface TestServer {
  readonly handle: (request: Request) => Promise<Response>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  close(): void;
}

/** The whole server on the CPU and the embedded model, and no other, without a port. */
export async function testServer(flags: Record<string, string> = {}): Promise<TestServer> {
  const noModels = mkdtempSync(join(tmpdir(), 'triptych-no-models-'));
  const config = readConfig({ device: 'cpu', threads: '2', ...flags }, {});
  const parts = await createServer(config, openStore({ root: noModels }));
  const app = createApp(parts);
  const handle = (request: Request) => app.handle(request);
  return {
    handle,
    post: (path, body, headers = {}) =>
      handle(
        new Request(`http://localhost${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      ),
    close: () => {
      parts.close();
      rmSync(noModels, { recursive: true });
    },
  };
}

/** The float32 values of a base64 field. */
export function floats(base64: string): Float32Array {
  return new Float32Array(Uint8Array.fromBase64(base64).buffer);
}

export async function depthOf(response: Response): Promise<DepthAnswer> {
  return (await response.json()) as DepthAnswer;
}

export async function cloudOf(response: Response): Promise<PointCloudAnswer> {
  return (await response.json()) as PointCloudAnswer;
}

export async function detailOf(response: Response): Promise<string> {
  return ((await response.json()) as { detail: string }).detail;
}
