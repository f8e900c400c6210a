import { describe, expect, test } from 'bun:test';
import { ConfigError, readConfig, settingFlags } from './config.ts';

describe('settings', () => {
  test('have the documented defaults', () => {
    expect(readConfig({}, {})).toMatchObject({
      host: '0.0.0.0',
      port: 8000,
      workers: 1,
      apiKey: [],
      logLevel: 'info',
      device: 'auto',
    });
  });

  test('a flag wins over the environment', () => {
    const environment = { SERVER_PORT: '9000', API_KEYS: 'a, b', LOG_LEVEL: 'debug' };
    expect(readConfig({}, environment)).toMatchObject({ port: 9000, apiKey: ['a', 'b'] });
    expect(readConfig({ port: '9001' }, environment).port).toBe(9001);
    expect(readConfig({}, { SERVER_PORT: '' }).port).toBe(8000);
  });

  test("a documented server's CUDA device means a GPU where there is one", () => {
    expect(readConfig({}, { IMAGE_MODEL_DEVICE: 'cuda:0' }).device).toBe('auto');
  });

  test.each([
    [{ port: '70000' }, '--port (SERVER_PORT)'],
    [{ port: 'http' }, 'given "http"'],
    [{ workers: '0' }, '--workers'],
    [{ device: 'tpu' }, '--device'],
    [{ logLevel: 'chatty' }, '--log-level'],
  ])('%p is refused by name', (flags, message) => {
    expect(() => readConfig(flags as Record<string, string>, {})).toThrow(ConfigError);
    expect(() => readConfig(flags as Record<string, string>, {})).toThrow(message);
  });

  test('a required key that is missing is refused', () => {
    expect(() => readConfig({}, { REQUIRE_API_KEY: 'true' })).toThrow('API_KEYS');
    expect(readConfig({}, { REQUIRE_API_KEY: 'true', API_KEYS: 'k' }).apiKey).toEqual(['k']);
  });

  test('each has a flag and a description', () => {
    const flags = settingFlags();
    expect(flags.map(({ flag }) => flag)).toContain('api-key');
    for (const { schema } of flags) expect(schema.description.length).toBeGreaterThan(5);
  });
});
