import { extname } from 'node:path';
import { type ArgsDef, defineCommand, type ParsedArgs } from 'citty';
import {
  CONNECTION_ARGS,
  existing,
  IMAGE_ARG,
  open,
  reportErrors,
  UsageError,
} from './example_connection.ts';
import { numbers, points } from './example_numbers.ts';
import { type EstimateAnswer, type EstimateFields, estimatePose } from './index.ts';

const args = {
  image: IMAGE_ARG,
  depth: {
    type: 'string',
    required: true,
    valueHint: 'FILE',
    description: 'Its depth, a 16-bit PNG of the same size',
  },
  'depth-scale': {
    type: 'string',
    valueHint: 'METRES',
    description: 'Metres per unit of the depth; 0.001 unless given',
  },
  camera: {
    type: 'string',
    required: true,
    valueHint: 'FX,FY,CX,CY',
    description: 'Intrinsics in pixels',
  },
  mesh: { type: 'string', required: true, valueHint: 'FILE', description: 'PLY, OBJ or GLB' },
  'mesh-scale': {
    type: 'string',
    valueHint: 'METRES',
    description: 'Metres per unit of the mesh; 1 unless given',
  },
  mask: { type: 'string', valueHint: 'FILE', description: 'Picture of the object’s pixels' },
  text: { type: 'string', valueHint: 'WORDS', description: 'Instead: what the object is' },
  box: {
    type: 'string',
    valueHint: 'CX,CY,W,H',
    description: 'Instead: a box around it; fractions of the picture',
  },
  click: {
    type: 'string',
    valueHint: 'X,Y',
    description: 'Instead: a click on it; several with spaces between',
  },
  method: { type: 'string', valueHint: 'NAME', description: 'auto, geometric or learned' },
  out: {
    type: 'string',
    required: true,
    valueHint: 'FILE',
    description: '.txt: the pose as four rows; .json: the answer',
  },
  ...CONNECTION_ARGS,
} as const satisfies ArgsDef;

type Arguments = ParsedArgs<typeof args>;

export const poseExample = defineCommand({
  meta: { name: 'pose', description: 'Find where an object is, by its mesh and a depth picture' },
  args,
  run: ({ args: given }) => reportErrors(() => poseTo(given.out, given)),
});

async function poseTo(out: string, given: Arguments): Promise<void> {
  const extension = extname(out).toLowerCase();
  if (extension !== '.txt' && extension !== '.json') {
    throw new UsageError(`--out ${out}: expected a name that ends in .txt or .json`);
  }
  const fields = await request(given);
  const { image, options } = await open(given);
  const answer = await estimatePose({ image, ...fields }, options);
  console.log(describe(answer));
  const rows = answer.objects[0].pose.map((row) => `${row.join(' ')}\n`);
  await Bun.write(out, extension === '.json' ? JSON.stringify(answer) : rows.join(''));
  console.log(`wrote ${out}`);
}

/** The request's fields but for the picture. */
async function request(given: Arguments): Promise<EstimateFields> {
  const [fx, fy, cx, cy] = numbers('camera', given.camera, 4);
  const { 'depth-scale': depthScale, 'mesh-scale': meshScale, method } = given;
  const object = {
    mesh: await existing(given.mesh),
    ...(meshScale !== undefined && { mesh_scale: numbers('mesh-scale', meshScale, 1)[0] }),
    ...(await shown(given)),
  };
  return {
    depth: await existing(given.depth),
    ...(depthScale !== undefined && { depth_scale: numbers('depth-scale', depthScale, 1)[0] }),
    camera_intrinsics: { fx, fy, cx, cy },
    // The server says which names it takes.
    ...(method !== undefined && { method: method as EstimateFields['method'] }),
    objects: [object],
  };
}

/** By what the object is found in the picture. */
async function shown({ mask, text, box, click }: Arguments) {
  const given = [mask, text, box, click].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new UsageError(
      `give one of --mask, --text, --box and --click: where the object is; given ${given.length}`,
    );
  }
  if (mask !== undefined) return { mask: await existing(mask) };
  if (text !== undefined) return { prompt: { text } };
  if (box !== undefined) return { prompt: { box: numbers('box', box, 4) } };
  return { prompt: { points: points('click', click) } };
}

function describe({ objects: [found] }: EstimateAnswer): string {
  const { pose, score, inlier_fraction: inliers, method, mask_source: source } = found;
  const at = pose.slice(0, 3).map((row) => row[3].toFixed(3));
  const figures = `score ${score.toFixed(2)}, ${(100 * inliers).toFixed(0)} % inliers`;
  return [
    `the mesh's origin is at ${at.join(', ')} m (${method}, by the ${source}): ${figures}`,
    ...found.warnings.map((warning) => `note: ${warning}`),
  ].join('\n');
}
