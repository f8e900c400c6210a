import { extname } from 'node:path';
import { type ArgsDef, defineCommand, type ParsedArgs } from 'citty';
import {
  CONNECTION_ARGS,
  IMAGE_ARG,
  open,
  reportErrors,
  UsageError,
} from './example_connection.ts';
import {
  type ClientOptions,
  type EncodedType,
  type PointCloudFields,
  predictFile,
  predictMetricDepth,
  predictPointcloud,
  predictRelativeDepth,
  type RawAnswer,
} from './index.ts';

const ROUTES = { metric: 'metric_depth', relative: 'rel_depth', pointcloud: 'pc' } as const;
const FILE_TYPES: Readonly<Record<string, EncodedType>> = {
  '.npy': 'application/x-npy',
  '.png': 'image/png',
  '.ply': 'model/ply',
};

type Task = keyof typeof ROUTES;
type Intrinsics = PointCloudFields['camera_intrinsics'];

const intrinsic = (what: string) =>
  ({ type: 'string', valueHint: 'PIXELS', description: `pointcloud: ${what}` }) as const;

const args = {
  image: IMAGE_ARG,
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
  fx: intrinsic('focal length along x'),
  fy: intrinsic('focal length along y'),
  cx: intrinsic('principal point, from the left'),
  cy: intrinsic('principal point, from the top'),
  ...CONNECTION_ARGS,
} as const satisfies ArgsDef;

type Arguments = ParsedArgs<typeof args>;

export const depthExample = defineCommand({
  meta: { name: 'depth', description: "Predict a picture's depth" },
  args,
  run: ({ args: given }) => reportErrors(() => predictTo(given.out, given)),
});

async function predictTo(out: string, given: Arguments): Promise<void> {
  const camera = given.task === 'pointcloud' ? intrinsics(given) : undefined;
  const { image, options } = await open(given);
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
