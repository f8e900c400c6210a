#!/usr/bin/env bun
import { type ArgsDef, defineCommand, runMain } from 'citty';
import { VERSION } from './app.ts';
import { readConfig, settingFlags } from './config.ts';
import { configureLog, logger } from './log.ts';
import { startServer } from './server.ts';

/** A flag per setting; they stay text here, because `readConfig` parses and checks. */
const serveArgs: ArgsDef = Object.fromEntries(
  settingFlags().map(({ flag, schema }) => [
    flag,
    {
      type: schema.type === 'boolean' ? 'boolean' : 'string',
      description: `${schema.description} (${schema.env[0]}; default ${JSON.stringify(schema.default)})`,
    },
  ]),
);

const serve = defineCommand({
  meta: { name: 'serve', description: 'Start the server' },
  args: serveArgs,
  async run({ args }) {
    const given = settingFlags().map(({ name, flag }) => [name, text(args[flag])]);
    const config = readConfig(Object.fromEntries(given));
    await configureLog(config.logLevel);
    const server = await startServer(config);
    for (const engine of server.engines) {
      const device = engine?.device;
      logger.info('engine on {kind}: {name}', { kind: device?.kind, name: device?.name });
    }
    logger.info('listening on {url}, docs at {url}docs', { url: server.url.href });
    const stop = () => {
      void server.stop().then(() => process.exit(0));
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  },
});

function text(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

const main = defineCommand({
  meta: { name: 'triptych', version: VERSION, description: 'Depth over HTTP' },
  subCommands: {
    serve,
    models: () => import('./models/command.ts').then((module) => module.modelsCommand),
    demo: () => import('./demo/command.ts').then((module) => module.demoCommand),
  },
});

await runMain(main);
