#!/usr/bin/env bun
import { extname } from 'node:path';
import { type ArgsDef, defineCommand, type ParsedArgs, runMain } from 'citty';
import {
  ApiError,
  type ClientOptions,
  type EncodedType,
  getHealth,
  loadServers,
  NoAnswerError,
  type PointCloudFields,
  predictFile,
  predictMetricDepth,
  predictPointcloud,
  predictRelativeDepth,
  type RawAnswer,
  ServersFileError,
  serverByName,
} from './index.ts';

const ROUTES = { metric: 'metric_depth', relative: 'rel_depth', pointcloud: 'pc' } as const;
const FILE_TYPES: Readonly<Record<string, EncodedType>> = {
  '.npy': 'application/x-npy',
  '.png': 'image/png',
  '.ply': 'model/ply',
};

type Task = keyof typeof ROUTES;
type Intrinsics = PointCloudFields['camera_intrinsics'];

/** Wrong usage. */
class UsageError extends Error {}

const intrinsic = (what: string) =>
  ({ type: 'string', valueHint: 'PIXELS', description: `pointcloud: ${what}` }) as const;

const args = {
  image: { type: 'positional', required: true, description: 'The picture', valueHint: 'FILE' },
  task: {
    type: 'enum',
    options: ['metric', 'relative', 'pointcloud'],
    default: 'metric',
    description: 'What to predict',
  },
  out: {
    type: 'string',
    required: true,
    valueHint: 'FILE',
    description: '.npy, .png (metric), .ply (pointcloud), or .f32: raw little-endian float32',
  },
  url: { type: 'string', valueHint: 'URL', description: "The server's address" },
  server: { type: 'string', valueHint: 'NAME', description: 'Or its name in the servers file' },
  servers: {
    type: 'string',
    valueHint: 'FILE',
    default: 'servers.yaml',
    description: 'That file; servers.example.yaml shows its form',
  },
  'api-key': { type: 'string', valueHint: 'KEY', description: 'The key, where one is needed' },
  fx: intrinsic('focal length along x'),
  fy: intrinsic('focal length along y'),
  cx: intrinsic('principal point, from the left'),
  cy: intrinsic('principal point, from the top'),
} as const satisfies ArgsDef;

type Arguments = ParsedArgs<typeof args>;

const example = defineCommand({
  meta: { name: 'example.ts', description: "Predict a picture's depth on a server" },
  args,
  async run({ args: given }) {
    try {
      await predictTo(given.out, given);
    } catch (error) {
      if (!isExpected(error)) throw error;
      console.error(`error: ${error.message}`);
      process.exitCode = 1;
    }
  },
});

async function predictTo(out: string, given: Arguments): Promise<void> {
  const image = Bun.file(given.image);
  if (!(await image.exists())) throw new UsageError(`${given.image}: no such file`);
  const camera = given.task === 'pointcloud' ? intrinsics(given) : undefined;
  const options = await connection(given);
  console.log(`${options.baseUrl}: ${(await getHealth(options)).device}`);
  const extension = extname(out).toLowerCase();
  if (extension in FILE_TYPES) {
    const fields = { image, ...(camera && { camera_intrinsics: camera, colors: true }) };
    const type = FILE_TYPES[extension];
    await Bun.write(out, await predictFile(ROUTES[given.task], fields, type, options));
  } else {
    const { data, ...facts } = await predictRaw(given.task, image, camera, options);
    console.log(facts);
    await Bun.write(out, data);
  }
  console.log(`wrote ${out}`);
}

function predictRaw(
  task: Task,
  image: Blob,
  camera_intrinsics: Intrinsics | undefined,
  options: ClientOptions,
): Promise<RawAnswer> {
  const raw = { ...options, binary: true } as const;
  if (camera_intrinsics) return predictPointcloud({ image, camera_intrinsics }, raw);
  return task === 'relative'
    ? predictRelativeDepth({ image }, raw)
    : predictMetricDepth({ image }, raw);
}

async function connection(given: Arguments): Promise<ClientOptions> {
  const { url, server, servers, 'api-key': key } = given;
  if (url !== undefined && server !== undefined) {
    throw new UsageError(`--url ${url} and --server ${server} were given; give one of them`);
  }
  const entry = server === undefined ? undefined : serverByName(await loadServers(servers), server);
  return {
    baseUrl: url ?? entry?.baseUrl ?? 'http://127.0.0.1:8000',
    apiKey: key ?? entry?.apiKey,
  };
}

function intrinsics(given: Arguments): Intrinsics {
  const pixels = (name: keyof Intrinsics) => {
    const value = Number(given[name] || Number.NaN);
    if (Number.isFinite(value)) return value;
    throw new UsageError(
      `--${name}: a point cloud needs it, in pixels; given ${given[name] ?? 'nothing'}`,
    );
  };
  return { fx: pixels('fx'), fy: pixels('fy'), cx: pixels('cx'), cy: pixels('cy') };
}

/** What the user or the server did, as against a fault of this program. */
function isExpected(error: unknown): error is Error {
  return [ApiError, NoAnswerError, ServersFileError, UsageError, TypeError].some(
    (kind) => error instanceof kind,
  );
}

await runMain(example);
