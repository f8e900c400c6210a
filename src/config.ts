import { isAbsolute } from 'node:path';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';

/** How a setting is spelled outside: its environment variables, the first set one wins. */
interface Names {
  readonly env: readonly string[];
  readonly description: string;
}

const text = (value: string, names: Names) => Type.String({ default: value, ...names });
const choice = <const C extends string>(value: C, choices: readonly C[], names: Names) =>
  Type.Unsafe<C>(
    Type.Union(
      choices.map((one) => Type.Literal(one)),
      { default: value, ...names },
    ),
  );
const flag = (value: boolean, names: Names) => Type.Boolean({ default: value, ...names });
const integer = (value: number, minimum: number, names: Names) =>
  Type.Integer({ default: value, minimum, ...names });

/**
 * Every setting, once: name, type, default, environment variables and description. The command
 * line's flags (`--max-upload-mb` for `maxUploadMb`) and its help are made from it.
 */
const ConfigSchema = Type.Object({
  host: text('0.0.0.0', { env: ['SERVER_HOST'], description: 'Address to bind' }),
  port: Type.Integer({
    default: 8000,
    minimum: 0,
    maximum: 65_535,
    env: ['SERVER_PORT'],
    description: 'Port to bind; 0 takes a free one',
  }),
  workers: integer(1, 1, {
    env: ['SERVER_WORKERS'],
    description: 'Engine workers, each with its own device and models',
  }),
  apiKey: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    env: ['API_KEYS'],
    description:
      'API keys, comma-separated or as repeated flags; all but /health and the docs then need one',
  }),
  requireApiKey: flag(false, {
    env: ['REQUIRE_API_KEY'],
    description: 'Do not start without an API key',
  }),
  logLevel: choice('info', ['debug', 'info', 'warning', 'error'], {
    env: ['LOG_LEVEL'],
    description: 'debug, info, warning or error, also in capitals',
  }),
  device: choice('auto', ['auto', 'webgpu', 'cpu', 'software'], {
    env: ['IMAGE_MODEL_DEVICE'],
    description: 'auto (a hardware GPU, else the CPU), webgpu, cpu, or software (for tests)',
  }),
  threads: integer(0, 0, {
    env: ['TRIPTYCH_THREADS'],
    description: 'Threads of a CPU engine; 0 shares the processors among the workers',
  }),
  sam3Checkpoint: text('', {
    env: ['SAM3_CHECKPOINT'],
    description:
      'Folder of a SAM 3 export (vision-encoder.onnx and so on, tokenizer.json) to segment with; without it the best installed model',
  }),
  confidenceThreshold: Type.Number({
    default: 0.5,
    minimum: 0,
    maximum: 1,
    env: ['IMAGE_MODEL_CONFIDENCE_THRESHOLD'],
    description: 'Masks of a lower score are left out where a request does not say, 0 to 1',
  }),
  featureCacheTtlSeconds: integer(600, 0, {
    env: ['FEATURE_CACHE_TTL_SECONDS'],
    description: 'Seconds after its last use that a picture’s features are kept; 0 for no limit',
  }),
  maxCacheSizeMb: integer(1024, 0, {
    env: ['MAX_CACHE_SIZE_MB'],
    description: 'Features kept on the devices, over all engine workers, in MiB; 0 keeps none',
  }),
  visualizationTtlSeconds: integer(600, 1, {
    env: ['TRIPTYCH_VISUALIZATION_TTL_SECONDS'],
    description: 'Seconds that the picture behind a visualization_url can be fetched',
  }),
  videoModelEnabled: flag(true, {
    env: ['VIDEO_MODEL_ENABLED'],
    description: 'Take video sessions',
  }),
  maxConcurrentSessions: integer(10, 1, {
    env: ['MAX_CONCURRENT_SESSIONS'],
    description: 'Video sessions that may be open at a time; one more gets 503',
  }),
  sessionTimeoutSeconds: integer(3600, 1, {
    env: ['SESSION_TIMEOUT_SECONDS'],
    description: 'Seconds without a request after which a video session is closed',
  }),
  videoRoot: text('', {
    env: ['TRIPTYCH_VIDEO_ROOT', 'VIDEO_ROOT'],
    description:
      'Folder that video_path may name files and folders of frames in; without it video_path is refused',
  }),
  maxVideoFrames: integer(108_000, 1, {
    env: ['TRIPTYCH_MAX_VIDEO_FRAMES'],
    description: 'Longest video, in frames',
  }),
  maxVideoSeconds: integer(3600, 1, {
    env: ['TRIPTYCH_MAX_VIDEO_SECONDS'],
    description: 'Longest video, in seconds',
  }),
  videoQuotaMb: integer(4096, 1, {
    env: ['TRIPTYCH_VIDEO_QUOTA_MB'],
    description: 'Uploaded and fetched videos of all sessions together, on disk, in MiB',
  }),
  poseDir: text('', {
    env: ['TRIPTYCH_POSE_DIR', 'DIR'],
    description:
      'Absolute path of a folder: each POST /foundationpose is then written to saved_requests/<uuid>/ in it, and its poses to debug/ob_in_cam/; nothing there is ever deleted',
  }),
  maxMeshTriangles: integer(500_000, 1, {
    env: ['TRIPTYCH_MAX_MESH_TRIANGLES'],
    description: 'Largest mesh of an object, in triangles',
  }),
  strictModels: flag(false, {
    env: ['TRIPTYCH_STRICT_MODELS'],
    description: 'Answer 503 when the model asked for is not installed, not the embedded one',
  }),
  maxUploadMb: integer(50, 1, {
    env: ['MAX_UPLOAD_SIZE_MB'],
    description: 'Largest request body, in MiB',
  }),
  maxImageMegapixels: integer(25, 1, {
    env: ['TRIPTYCH_MAX_IMAGE_MEGAPIXELS'],
    description: 'Largest image, in millions of pixels',
  }),
  maxInputSize: Type.Integer({
    default: 1036,
    minimum: 14,
    multipleOf: 14,
    env: ['TRIPTYCH_MAX_INPUT_SIZE'],
    description: 'Largest model_input_size, a multiple of 14',
  }),
  rateLimitEnabled: flag(false, {
    env: ['RATE_LIMIT_ENABLED'],
    description: 'Answer 429 to who sends too many requests',
  }),
  rateLimitRequestsPerMinute: integer(100, 1, {
    env: ['RATE_LIMIT_REQUESTS_PER_MINUTE'],
    description:
      'Requests a minute that one API key, or without keys one address, may send where the limit is enabled; behind a proxy all have its address',
  }),
  queueCapacity: integer(64, 1, {
    env: ['TRIPTYCH_QUEUE_CAPACITY'],
    description: 'Requests that may wait for an engine; one more gets 503',
  }),
  queueTimeoutSeconds: integer(30, 1, {
    env: ['TRIPTYCH_QUEUE_TIMEOUT_SECONDS'],
    description: 'Seconds that a request may wait for an engine before it gets 503',
  }),
  watchdogSeconds: integer(120, 1, {
    env: ['TRIPTYCH_WATCHDOG_SECONDS'],
    description:
      'Seconds that an engine may work on one image, model loading included, before it is given up and replaced',
  }),
  fetchTimeoutSeconds: integer(15, 1, {
    env: ['TRIPTYCH_FETCH_TIMEOUT_SECONDS'],
    description: 'Seconds that fetching an image URL may take',
  }),
  corsOrigins: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    env: ['CORS_ORIGINS'],
    description: 'Origins that browsers may call from, comma-separated; * for all',
  }),
});

export type Config = Static<typeof ConfigSchema>;

/** A setting that has no acceptable value; the message names its flag and variable. */
export class ConfigError extends Error {}

type Setting = TSchema & Names;

const settings = Object.entries(ConfigSchema.properties) as unknown as [keyof Config, Setting][];

/** `maxUploadMb` → `max-upload-mb` */
function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Settings with their flags, for the command line's help. */
export function settingFlags(): { name: keyof Config; flag: string; schema: Setting }[] {
  return settings.map(([name, schema]) => ({ name, flag: flagName(name), schema }));
}

/** What was given by setting name: the text, or several of a flag that was repeated. */
export type GivenFlags = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Reads the settings: a flag wins over the environment, which wins over the default. An empty
 * variable counts as unset; an empty flag is refused, as a server whose key comes from a variable
 * that happens to be unset would be open to all.
 *
 * @param flags values by setting name, as typed on the command line
 * @throws ConfigError naming the setting, what was given and what is allowed
 */
export function readConfig(
  flags: GivenFlags = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const values = settings.map(([name, schema]) => {
    const variable = schema.env.find((candidate) => (environment[candidate] ?? '') !== '');
    const given = flags[name] ?? (variable && environment[variable]);
    if (given === undefined) return [name, schema.default];
    return [name, parse(name, [given].flat(), schema)];
  });
  return checkCombination(Object.fromEntries(values) as Config);
}

/** Of several texts a list takes all, anything else the last, as command lines do. */
function parse(name: keyof Config, given: readonly string[], schema: Setting): unknown {
  const isList = schema.type === 'array';
  const parts = given.flatMap((text) => (isList ? split(text) : [text.trim()]));
  const refuse = (wanted: string) =>
    new ConfigError(
      `--${flagName(name)} (${schema.env.join(', ')}): given "${given.join(' ')}", expected ${wanted}. ${schema.description}`,
    );
  const isBlank = given.some((text) => text.trim() === '');
  if (isBlank || parts.length === 0) throw refuse('a value that is not empty');
  const value = Value.Convert(schema, isList ? parts : plainForm(name, parts.at(-1) ?? '', schema));
  if (Value.Check(schema, value)) return value;
  throw refuse(expected(schema, Value.Errors(schema, value).First()?.message));
}

function expected(schema: Setting, message = 'another value'): string {
  const choices = schema.anyOf as readonly { const?: string }[] | undefined;
  if (choices) return `one of ${choices.map((choice) => choice.const).join(', ')}`;
  if (schema.type === 'boolean') return 'true or false';
  return message.replace(/^Expected /, '');
}

function split(given: string): string[] {
  return given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Other spellings that are in use: levels in capitals, yes and no, `cuda:0` for a GPU. */
function plainForm(name: keyof Config, given: string, schema: Setting): string {
  if (name === 'device') return /^(cuda|gpu)(:\d+)?$/.test(given) ? 'auto' : given;
  if (name === 'logLevel') return given.toLowerCase().replace(/^warn$/, 'warning');
  if (schema.type !== 'boolean') return given;
  return given.replace(/^(yes|on)$/i, 'true').replace(/^(no|off)$/i, 'false');
}

function checkCombination(config: Config): Config {
  if (config.requireApiKey && config.apiKey.length === 0) {
    throw new ConfigError(
      'an API key is required (--require-api-key, REQUIRE_API_KEY), but there is none: give --api-key or API_KEYS',
    );
  }
  if (config.poseDir !== '' && !isAbsolute(config.poseDir)) {
    throw new ConfigError(
      `--pose-dir (TRIPTYCH_POSE_DIR, DIR): given "${config.poseDir}", expected an absolute path`,
    );
  }
  return config;
}
