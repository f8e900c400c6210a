import { statSync } from 'node:fs';
import { defineCommand } from 'citty';
import { namedEntries, print, runCommand } from './command_run.ts';
import type { DepthDataset, DepthKind } from './contracts.ts';
import type { PullOptions } from './download.ts';
import type { CatalogueEntry } from './entry.ts';
import { ModelError } from './errors.ts';
import { listModels, renderList } from './listing.ts';
import { addLocalModel, type LocalTraits } from './local_model.ts';
import { addLocalPose } from './pose_local.ts';
import { hasPoseGraphs } from './pose_set.ts';
import { pullAloud } from './pull_aloud.ts';
import { remoteSettings } from './remote.ts';
import { removeModel } from './remove.ts';
import { addLocalFolder } from './segment_local.ts';
import { allEntries, modelState, openStore } from './store.ts';
import { type ModelVerdict, verifyModel } from './verify.ts';

const json = { type: 'boolean', description: 'Print JSON' } as const;
const model = {
  type: 'positional',
  required: false,
  description: 'Model ids',
  valueHint: 'ID…',
} as const;

const listArgs = {
  json,
  installed: { type: 'boolean', description: 'Only those that are on this machine' },
} as const;

const list = defineCommand({
  meta: { name: 'list', description: 'Show every model, its size, licence and state' },
  args: listArgs,
  run: ({ args }) =>
    runCommand(args, listArgs, async () => {
      const all = listModels(openStore());
      const shown = args.installed ? all.filter(({ state }) => state !== 'absent') : all;
      print(args.json ? JSON.stringify(shown, null, 2) : renderList(shown));
    }),
});

const pullArgs = {
  model,
  'accept-licence': {
    type: 'boolean',
    description: 'Accept a licence that is non-commercial, conditional or gated',
  },
  from: { type: 'string', valueHint: 'FOLDER', description: 'Import from a folder of files' },
  link: { type: 'boolean', description: 'With --from: hard-link the files instead of copying' },
  offline: { type: 'boolean', description: 'Do not use the network' },
  force: { type: 'boolean', description: 'Fetch again what is installed' },
  json,
} as const;

const pull = defineCommand({
  meta: { name: 'pull', description: 'Download models, or import them from a folder' },
  args: pullArgs,
  run: ({ args }) =>
    runCommand(args, pullArgs, async (signal) => {
      const store = openStore();
      const settings = remoteSettings();
      const options: PullOptions = {
        acceptLicence: args['accept-licence'],
        from: args.from,
        link: args.link,
        force: args.force,
        settings: { ...settings, offline: settings.offline || args.offline === true },
        signal,
      };
      const results = [];
      for (const entry of namedEntries(args, store.catalogue)) {
        results.push(await pullAloud(entry, store, options));
      }
      if (args.json) print(JSON.stringify(results, null, 2));
    }),
});

// Not `as const`: citty wants arrays that it could change.
const ENCODERS: ('vits' | 'vitb' | 'vitl')[] = ['vits', 'vitb', 'vitl'];
const DATASETS: DepthDataset[] = ['hypersim', 'vkitti'];
const KINDS: DepthKind[] = ['metric', 'relative'];

const addArgs = {
  path: {
    type: 'positional',
    required: true,
    description: 'The ONNX file of a depth model, or the folder of another model',
    valueHint: 'PATH',
  },
  encoder: {
    type: 'enum',
    options: ENCODERS,
    description: 'Whose requests it answers (from the file name where it says)',
  },
  dataset: { type: 'enum', options: DATASETS, description: 'Of a metric model' },
  kind: { type: 'enum', options: KINDS, description: 'What it predicts' },
  'max-depth': {
    type: 'string',
    valueHint: 'METRES',
    description: 'What a metric model was trained to (20 for hypersim, 80 for vkitti)',
  },
  id: { type: 'string', valueHint: 'ID', description: 'The name to give it' },
  json,
} as const;

const add = defineCommand({
  meta: { name: 'add', description: 'Register ONNX files of your own, which stay where they are' },
  args: addArgs,
  run: ({ args }) =>
    runCommand(args, addArgs, async (signal) => {
      const { encoder, dataset, kind, id } = args;
      const maxDepth = metres(args['max-depth']);
      const depth = { encoder, dataset, kind, maxDepth };
      const entry = await addLocal(args.path, depth, { id, signal });
      if (args.json) print(JSON.stringify(entry, null, 2));
      else print(`${entry.id}: ${described(entry)}; ${entry.notes}`);
    }),
});

/** A folder is a segmentation or pose model, a file a depth model. */
function addLocal(
  path: string,
  depth: LocalTraits,
  shared: Pick<LocalTraits, 'id' | 'signal'>,
): Promise<CatalogueEntry> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  if (!isFolder) return addLocalModel(openStore(), path, { ...depth, ...shared });
  if (Object.values(depth).every((trait) => trait === undefined)) {
    const register = hasPoseGraphs(path) ? addLocalPose : addLocalFolder;
    return register(openStore(), path, shared);
  }
  throw new ModelError(
    'usage',
    `${path} is a folder, as segmentation and pose models are; --encoder, --dataset, --kind and ` +
      '--max-depth are of depth models: give the ONNX file of one, or leave them out',
  );
}

function described(entry: CatalogueEntry): string {
  return [...traitsOf(entry), entry.precision].filter(Boolean).join(', ');
}

function traitsOf(entry: CatalogueEntry): (string | undefined)[] {
  switch (entry.family) {
    case 'depth':
      return [entry.kind, entry.dataset, entry.encoder ?? 'any encoder'];
    case 'segment':
      return [entry.generation, ...entry.answers];
    case 'pose':
      return ['pose', entry.contract];
  }
}

const verifyArgs = { model, json } as const;

const verify = defineCommand({
  meta: { name: 'verify', description: 'Hash the installed models again; all without an id' },
  args: verifyArgs,
  run: ({ args }) =>
    runCommand(args, verifyArgs, async (signal) => {
      const store = openStore();
      const entries =
        args._.length > 0
          ? namedEntries(args, allEntries(store))
          : allEntries(store).filter((entry) => modelState(store, entry).state !== 'absent');
      const verdicts: ModelVerdict[] = [];
      for (const entry of entries) {
        const verdict = await verifyModel(store, entry, signal);
        verdicts.push(verdict);
        if (!args.json) printVerdict(verdict);
      }
      if (args.json) print(JSON.stringify(verdicts, null, 2));
      requireAllRight(verdicts);
    }),
});

const removeArgs = { model } as const;

const remove = defineCommand({
  meta: { name: 'remove', description: 'Remove models; a registered file itself is kept' },
  args: removeArgs,
  run: ({ args }) =>
    runCommand(args, removeArgs, async () => {
      const store = openStore();
      for (const entry of namedEntries(args, allEntries(store))) {
        const removed = await removeModel(store, entry);
        print(removed ? `${entry.id} removed` : `${entry.id} was not installed`);
      }
    }),
});

/** `models list|pull|add|verify|remove`; the exit codes are those of {@link runCommand}. */
export const modelsCommand = defineCommand({
  meta: { name: 'models', description: 'Install, check and remove models' },
  subCommands: { list, pull, add, verify, remove },
});

function printVerdict({ id, files }: ModelVerdict): void {
  for (const { path, ok, detail } of files)
    print(`${ok ? 'ok   ' : 'WRONG'} ${id} ${path}: ${detail}`);
}

function requireAllRight(verdicts: readonly ModelVerdict[]): void {
  const wrong = verdicts.filter(({ ok }) => !ok).map(({ id }) => id);
  if (wrong.length === 0) return;
  throw new ModelError(
    'checksum',
    `not as expected: ${wrong.join(', ')}. Repair what was downloaded with \`bun run models pull ` +
      '--force`, register a changed file of your own again with `models add`',
  );
}

function metres(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isFinite(number) && number > 0) return number;
  throw new ModelError(
    'usage',
    `--max-depth is "${value}"; a number of metres above 0 is expected`,
  );
}
