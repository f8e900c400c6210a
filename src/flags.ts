import { parseArgs } from 'node:util';
import type { ArgsDef } from 'citty';
import { ConfigError, type GivenFlags, settingFlags } from './config.ts';

/** A flag per setting, for the help. */
export const serveArgs: ArgsDef = Object.fromEntries(
  settingFlags().map(({ flag, schema }) => {
    const description = `${schema.description} (${schema.env[0]}; default ${JSON.stringify(schema.default)})`;
    return [flag, schema.type === 'boolean' ? booleanArg(description) : textArg(description)];
  }),
);

function textArg(description: string) {
  return { type: 'string', description } as const;
}

function booleanArg(description: string) {
  const negativeDescription = 'The opposite, whatever the environment says';
  return { type: 'boolean', description, negativeDescription } as const;
}

/**
 * The flags of `serve` by setting name; values stay text, because `readConfig` parses and checks
 * them. Citty would ignore a flag that it does not know and keep one value of a repeated one.
 *
 * @throws ConfigError for an unknown flag, a flag without its value, or anything but flags
 */
export function parseFlags(rawArgs: readonly string[]): GivenFlags {
  const flags = settingFlags();
  const options = flags.map(({ flag, schema }) => [
    flag,
    {
      type: schema.type === 'boolean' ? ('boolean' as const) : ('string' as const),
      multiple: schema.type === 'array',
    },
  ]);
  const values = strictly(() =>
    parseArgs({
      args: [...rawArgs],
      options: Object.fromEntries(options),
      strict: true,
      allowNegative: true,
      allowPositionals: false,
    }),
  );
  return Object.fromEntries(flags.map(({ name, flag }) => [name, asText(values[flag])]));
}

type Parsed = ReturnType<typeof parseArgs>;

function strictly(parse: () => Parsed): Parsed['values'] {
  try {
    return parse().values;
  } catch (error) {
    const message = (error as Error).message.replaceAll('\n', ' ').replace(/\.$/, '');
    throw new ConfigError(`${message}; --help lists the flags`, { cause: error });
  }
}

function asText(value: Parsed['values'][string]): string | string[] | undefined {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? value.map(String) : String(value);
}
