#!/usr/bin/env bun
import { type ArgsDef, type CommandDef, defineCommand, renderUsage, runMain } from 'citty';
import { VERSION } from './app.ts';
import { exitWith, serveCommand } from './serve.ts';

const main = defineCommand({
  meta: {
    name: 'triptych',
    version: VERSION,
    description: 'Depth, segmentation and object pose over HTTP',
  },
  // A flag before the command would reach no command, `--api-key` among them.
  setup({ rawArgs: [first] }) {
    if (!first?.startsWith('-')) return;
    exitWith(`${first.split('=')[0]} stands before the command; flags come after it`);
  },
  subCommands: {
    serve: serveCommand,
    models: () => import('./models/command.ts').then((module) => module.modelsCommand),
    demo: () => import('./demo/command.ts').then((module) => module.demoCommand),
  },
});

await runMain(main, { showUsage });

/** Citty's help, and after that of `models` and its commands the variables that they read. */
async function showUsage<T extends ArgsDef>(
  command: CommandDef<T>,
  parent?: CommandDef<T>,
): Promise<void> {
  console.log(`${await renderUsage(command, parent)}\n`);
  const { modelsCommand } = await import('./models/command.ts');
  const shown: readonly unknown[] = [command, parent];
  if (!shown.includes(modelsCommand)) return;
  const { ENVIRONMENT_HELP } = await import('./models/command_environment.ts');
  console.log(`${ENVIRONMENT_HELP}\n`);
}
