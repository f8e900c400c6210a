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
    description: 'API keys, comma-separated; every endpoint but /health then needs one',
  }),
  logLevel: choice('info', ['debug', 'info', 'warning', 'error'], {
    env: ['LOG_LEVEL'],
    description: 'debug, info, warning or error',
  }),
  device: choice('auto', ['auto', 'webgpu', 'cpu', 'software'], {
    env: ['IMAGE_MODEL_DEVICE'],
    description: 'auto (a hardware GPU, else the CPU), webgpu, cpu, or software (for tests)',
  }),
  threads: integer(0, 0, {
    env: ['TRIPTYCH_THREADS'],
    description: 'Threads of a CPU engine; 0 shares the processors among the workers',
  }),
  strictModels: flag(false, {
    env: ['TRIPTYCH_STRICT_MODELS'],
    description: 'Answer 503 when the model asked for is not installed, not the embedded one',
  }),
  maxUploadMb: integer(50, 1, {
    env: ['MAX_UPLOAD_SIZE_MB'],
    description: 'Largest request body, in MiB',
  }),
  maxImageMegapixels: integer(50, 1, {
    env: ['TRIPTYCH_MAX_IMAGE_MEGAPIXELS'],
    description: 'Largest image, in millions of pixels',
  }),
  maxInputSize: integer(1036, 14, {
    env: ['TRIPTYCH_MAX_INPUT_SIZE'],
    description: 'Largest model_input_size, a multiple of 14',
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
    description: 'An engine that works longer than this on one batch is restarted',
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
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Settings with their flags, for the command line's help. */
export function settingFlags(): { name: keyof Config; flag: string; schema: Setting }[] {
  return settings.map(([name, schema]) => ({ name, flag: flagName(name), schema }));
}

/**
 * Reads the settings: a flag wins over the environment, which wins over the default.
 *
 * @param flags values by setting name, as typed on the command line
 * @throws ConfigError naming the setting, what was given and what is allowed
 */
export function readConfig(
  flags: Readonly<Record<string, string | undefined>> = {},
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const values = settings.map(([name, schema]) => {
    const variable = schema.env.find((candidate) => (environment[candidate] ?? '') !== '');
    const given = flags[name] ?? (variable && environment[variable]);
    if (given === undefined) return [name, schema.default];
    return [name, parse(name, given, schema)];
  });
  return checkCombination(Object.fromEntries(values) as Config, environment);
}

function parse(name: string, given: string, schema: Setting): unknown {
  const value = Value.Convert(
    schema,
    schema.type === 'array' ? split(given) : aliased(name, given),
  );
  if (Value.Check(schema, value)) return value;
  const error = Value.Errors(schema, value).First();
  throw new ConfigError(
    `--${flagName(name)} (${schema.env.join(', ')}): given "${given}", expected ${expected(schema, error?.message)}. ${schema.description}`,
  );
}

function expected(schema: Setting, message = 'another value'): string {
  const choices = schema.anyOf as readonly { const?: string }[] | undefined;
  if (choices) return `one of ${choices.map((choice) => choice.const).join(', ')}`;
  return message.replace(/^Expected /, '');
}

function split(given: string): string[] {
  return given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** `cuda:0` and the like is how the documented servers ask for a GPU. */
function aliased(name: string, given: string): string {
  return name === 'device' && /^(cuda|gpu)(:\d+)?$/.test(given) ? 'auto' : given;
}

/** `REQUIRE_API_KEY` without a key would lock everybody out, or nobody. */
function checkCombination(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const required = /^(1|true|yes)$/i.test(environment.REQUIRE_API_KEY ?? '');
  if (required && config.apiKey.length === 0) {
    throw new ConfigError('REQUIRE_API_KEY is set, but no key is: give API_KEYS or --api-key');
  }
  return config;
}
