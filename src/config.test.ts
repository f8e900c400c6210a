import { describe, expect, test } from 'bun:test';
import { ConfigError, type GivenFlags, readConfig, settingFlags } from './config.ts';

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

  test("the documented server's variables are read", () => {
    expect(
      readConfig(
        {},
        {
          SAM3_CHECKPOINT: 'weights/sam3',
          IMAGE_MODEL_CONFIDENCE_THRESHOLD: '0.35',
          FEATURE_CACHE_TTL_SECONDS: '60',
          MAX_CACHE_SIZE_MB: '4096',
          RATE_LIMIT_ENABLED: 'true',
          RATE_LIMIT_REQUESTS_PER_MINUTE: '30',
          VIDEO_MODEL_ENABLED: 'false',
          MAX_CONCURRENT_SESSIONS: '3',
          SESSION_TIMEOUT_SECONDS: '90',
        },
      ),
    ).toMatchObject({
      sam3Checkpoint: 'weights/sam3',
      confidenceThreshold: 0.35,
      featureCacheTtlSeconds: 60,
      maxCacheSizeMb: 4096,
      rateLimitEnabled: true,
      rateLimitRequestsPerMinute: 30,
      videoModelEnabled: false,
      maxConcurrentSessions: 3,
      sessionTimeoutSeconds: 90,
    });
    expect(readConfig({}, {})).toMatchObject({
      sam3Checkpoint: '',
      confidenceThreshold: 0.5,
      rateLimitEnabled: false,
      videoModelEnabled: true,
      maxConcurrentSessions: 10,
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
    ['INFO', 'info'],
    ['Warn', 'warning'],
    ['WARNING', 'warning'],
    ['DEBUG', 'debug'],
    ['error', 'error'],
  ] as const)('LOG_LEVEL=%s is %s', (given, level) => {
    expect(readConfig({}, { LOG_LEVEL: given }).logLevel).toBe(level);
  });

  test('of a repeated flag a list takes all, anything else the last', () => {
    const flags = { apiKey: ['a', 'b, c'], port: ['1', '2'] };
    expect(readConfig(flags, { API_KEYS: 'd' })).toMatchObject({
      apiKey: ['a', 'b', 'c'],
      port: 2,
    });
  });

  test.each(['true', 'TRUE', '1', 'yes', 'on'])('%p is true', (given) => {
    expect(readConfig({}, { TRIPTYCH_STRICT_MODELS: given }).strictModels).toBe(true);
  });

  test.each([
    [{ port: '70000' }, '--port (SERVER_PORT)'],
    [{ port: 'http' }, 'given "http"'],
    [{ workers: '0' }, '--workers'],
    [{ device: 'tpu' }, '--device'],
    [{ logLevel: 'chatty' }, '--log-level'],
    [{ strictModels: 'maybe' }, 'expected true or false'],
    [{ maxInputSize: '1000' }, 'multiple of 14'],
    [{ confidenceThreshold: '1.5' }, 'IMAGE_MODEL_CONFIDENCE_THRESHOLD'],
    [{ rateLimitRequestsPerMinute: '0' }, 'RATE_LIMIT_REQUESTS_PER_MINUTE'],
    [{ maxConcurrentSessions: 'many' }, 'MAX_CONCURRENT_SESSIONS'],
    [{ apiKey: '' }, 'given "", expected a value that is not empty'],
    [{ apiKey: ' , ' }, 'expected a value that is not empty'],
    [{ apiKey: ['a', ''] }, 'expected a value that is not empty'],
    [{ host: '' }, '--host (SERVER_HOST): given ""'],
  ])('%p is refused by name', (flags, message) => {
    expect(() => readConfig(flags as GivenFlags, {})).toThrow(ConfigError);
    expect(() => readConfig(flags as GivenFlags, {})).toThrow(message);
  });

  test('a variable that is empty counts as unset, one without a single key does not', () => {
    expect(readConfig({}, { API_KEYS: '' }).apiKey).toEqual([]);
    expect(() => readConfig({}, { API_KEYS: ' ' })).toThrow('--api-key (API_KEYS)');
    expect(() => readConfig({}, { API_KEYS: ',' })).toThrow('--api-key (API_KEYS)');
  });

  test('a required key that is missing is refused', () => {
    expect(() => readConfig({ requireApiKey: 'true' }, { API_KEYS: '' })).toThrow('API_KEYS');
    expect(() => readConfig({}, { REQUIRE_API_KEY: 'perhaps' })).toThrow('true or false');
    expect(() => readConfig({}, { REQUIRE_API_KEY: 'true' })).toThrow('API_KEYS');
    expect(readConfig({}, { REQUIRE_API_KEY: 'true', API_KEYS: 'k' }).apiKey).toEqual(['k']);
  });

  test('DIR is an absolute path, or nothing', () => {
    expect(readConfig({}, { DIR: '/srv/pose' }).poseDir).toBe('/srv/pose');
    expect(readConfig({}, { DIR: '/srv/pose', TRIPTYCH_POSE_DIR: '/data' }).poseDir).toBe('/data');
    expect(readConfig({}, { DIR: '' }).poseDir).toBe('');
    expect(() => readConfig({}, { DIR: 'pose' })).toThrow('expected an absolute path');
  });

  test('each has a flag and a description', () => {
    const flags = settingFlags();
    expect(flags.map(({ flag }) => flag)).toContain('api-key');
    for (const { schema } of flags) expect(schema.description.length).toBeGreaterThan(5);
  });
});
