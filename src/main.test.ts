/** `serve` as it is typed, in a process of its own. */
import { afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

const MAIN = join(import.meta.dir, 'main.ts');
const LOCAL = ['--host', '127.0.0.1', '--port', '0', '--device', 'cpu', '--threads', '1'];

const children: Bun.Subprocess<'ignore', 'pipe', 'pipe'>[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    await child.exited;
  }
});

function triptych(args: readonly string[], environment: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    env: { ...process.env, API_KEYS: '', REQUIRE_API_KEY: '', NO_COLOR: '1', ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  children.push(child);
  return child;
}

async function ended(child: ReturnType<typeof triptych>) {
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out, error };
}

/** Waits for the address that the server prints, and keeps reading what it says after. */
async function serving(args: readonly string[], environment?: Record<string, string>) {
  const child = triptych(['serve', ...args], environment);
  let out = '';
  const url = Promise.withResolvers<string>();
  const read = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      out += decoder.decode(chunk, { stream: true });
      const found = /listening on '?(http:[^' ,]+)/.exec(out)?.[1];
      if (found) url.resolve(found);
    }
  })();
  const error = child.stderr.text();
  void child.exited.then(async () => url.reject(new Error(await error)));
  return {
    child,
    url: await url.promise,
    finish: async () => {
      const code = await child.exited;
      await read;
      return { code, out, error: await error };
    },
  };
}

const statusWith = async (url: string, key?: string) => {
  const headers = {
    'content-type': 'application/json',
    ...(key && { authorization: `Bearer ${key}` }),
  };
  const request = { method: 'POST', headers, body: '{}' };
  return (await fetch(new URL('metric_depth', url), request)).status;
};

describe('what cannot be served is one line and exit code 1', () => {
  test.each([
    [['--nope', '3'], '--nope'],
    [['--api-keys=secret'], '--api-keys'],
    [['--api-key='], '--api-key'],
    [['--api-key', ''], '--api-key'],
    [['--api-key', 'a', '--api-key', ''], '--api-key'],
    [['--api-key', ','], '--api-key'],
    [['--api-key'], '--api-key'],
    [['--port'], '--port'],
    [['--api-key', '--strict-models'], '--api-key'],
    [['secret'], 'secret'],
    [['--port', '70000'], '--port (SERVER_PORT): given "70000"'],
    [['--max-input-size', '1000'], 'multiple of 14'],
    [['--require-api-key'], '--api-key or API_KEYS'],
    // An address of no machine (RFC 5737).
    [['--host', '192.0.2.1'], 'cannot listen on 192.0.2.1'],
  ])('%j', async (args, message) => {
    const { code, out, error } = await ended(triptych(['serve', ...LOCAL, ...args]));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(error).toMatch(/^error: [^\n]+\n$/);
    expect(error).toContain(message);
  });

  test('a flag before the command', async () => {
    const { code, error } = await ended(triptych(['--api-key=secret', 'serve', ...LOCAL]));
    expect({ code, error }).toEqual({
      code: 1,
      error: 'error: --api-key stands before the command; flags come after it\n',
    });
  });

  test('a port that is taken', async () => {
    const taken = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
    const port = String(taken.port);
    const { code, error } = await ended(triptych(['serve', ...LOCAL, '--port', port]));
    await taken.stop(true);
    expect(code).toBe(1);
    expect(error).toMatch(/^error: cannot listen on 127\.0\.0\.1 port \d+ [^\n]+--port\n$/);
  });

  test('REQUIRE_API_KEY with an empty API_KEYS', async () => {
    const child = triptych(['serve', ...LOCAL], { REQUIRE_API_KEY: 'yes', API_KEYS: '' });
    const { code, error } = await ended(child);
    expect(code).toBe(1);
    expect(error).toMatch(/^error: an API key is required [^\n]+\n$/);
  });
});

describe('a server that runs', () => {
  test('takes each of its repeated keys', async () => {
    const keys = ['--api-key', 'first', '--api-key=second', '--api-key', '-third'];
    // Control: a value that looks like a flag is refused unless it is joined with =.
    expect((await ended(triptych(['serve', ...LOCAL, ...keys]))).code).toBe(1);
    const { url } = await serving([...LOCAL, ...keys.slice(0, 3), '--api-key=-third']);
    for (const key of ['first', 'second', '-third']) expect(await statusWith(url, key)).toBe(422);
    expect(await statusWith(url, 'third')).toBe(401);
    expect(await statusWith(url)).toBe(401);
  });

  test('takes the key of the environment, and says no word of an open server', async () => {
    const { child, url, finish } = await serving([...LOCAL, '--host', '0.0.0.0'], {
      API_KEYS: 'k',
      LOG_LEVEL: 'INFO',
    });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await statusWith(url)).toBe(401);
    expect(await statusWith(url, 'k')).toBe(422);
    child.kill('SIGTERM');
    expect(await finish()).toMatchObject({ code: 0, error: '' });
  });

  test('warns where it is open to other machines', async () => {
    const { child, finish } = await serving([...LOCAL, '--host', '0.0.0.0']);
    child.kill('SIGTERM');
    const { error } = await finish();
    expect(error).toMatch(/no API key is set and .*0\.0\.0\.0.* can be reached/);
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ family, internal }) => family === 'IPv6' && internal),
  );
  if (!hasIpv6) console.warn('SKIPPED --host ::1 and ::, as this machine has no IPv6 loopback');
  test.skipIf(!hasIpv6).each(['::1', '::'])('listens on %s', async (host) => {
    const { child, url, finish } = await serving([...LOCAL, '--host', host]);
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+\/$/);
    expect((await fetch(new URL('health', url))).status).toBe(200);
    child.kill('SIGTERM');
    expect((await finish()).error === '').toBe(host === '::1');
  });
});

describe('a signal', () => {
  let body: string;
  beforeAll(async () => {
    const create = { width: 640, height: 480, channels: 3 as const, background: '#705030' };
    const image = (await sharp({ create }).jpeg().toBuffer()).toString('base64');
    body = JSON.stringify({ image, model_input_size: 1036 });
  });

  const ask = (url: string) =>
    fetch(new URL('metric_depth', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });

  async function untilPending(url: string, count: number): Promise<void> {
    for (;;) {
      const health = await (await fetch(new URL('health', url))).json();
      if ((health as { queue_length: number }).queue_length >= count) return;
      await Bun.sleep(5);
    }
  }

  test('lets what is under way finish, and takes nothing more', async () => {
    const { child, url, finish } = await serving(LOCAL);
    const answers = Promise.all(Array.from({ length: 3 }, () => ask(url)));
    await untilPending(url, 1);
    child.kill('SIGTERM');
    const late = (async () => {
      while (child.exitCode === null) {
        const options = { keepalive: false };
        const refused = await fetch(new URL('health', url), options).catch(() => null);
        if (refused === null) return 'refused';
        await Bun.sleep(5);
      }
      return 'ended';
    })();
    expect((await answers).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await late).toBe('refused');
    const { code, out } = await finish();
    expect(code).toBe(0);
    expect(out).toContain('stopping once');
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('that comes twice ends it at once: %s, %d', async (signal, expected) => {
    const { child, url, finish } = await serving(LOCAL);
    const answers = Promise.allSettled(Array.from({ length: 12 }, () => ask(url)));
    await untilPending(url, 1);
    child.kill('SIGTERM');
    while (await fetch(new URL('health', url), { keepalive: false }).catch(() => null)) {
      await Bun.sleep(1);
    }
    child.kill(signal);
    expect((await finish()).code).toBe(expected);
    expect((await answers).some(({ status }) => status === 'rejected')).toBe(true);
  });
});
