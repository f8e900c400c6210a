import { relative } from 'node:path';
import type { HealthAnswer, PointCloudAnswer } from '../client/index.ts';
import { CATALOGUE } from '../models/catalogue.ts';
import type { Picture } from './picture.ts';
import type { Result } from './results.ts';
import type { Stages } from './stages.ts';

const COLUMN = 10;

/** Which server answers, and on what. */
export function describeServer(url: URL, { device }: HealthAnswer, startMs: number): string {
  return line('server', `${url} on ${device}, started in ${startMs.toFixed(0)} ms`);
}

/** What came of one picture. */
export function describePicture(
  { path, width, height, camera }: Picture,
  answer: PointCloudAnswer,
  stages: Stages,
  results: readonly Result[],
): string {
  const { fx, fy, cx, cy } = camera.intrinsics;
  const numbers = Object.entries({ fx, fy, cx, cy }).map(([name, n]) => `${name} ${n.toFixed(1)}`);
  const [near, far] = [answer.min, answer.max].map((depth) => depth.toFixed(2));
  const files = results.map((result) => shown(result.path));
  const column = Math.max(...files.map((file) => file.length));
  return [
    '',
    line('picture', `${shown(path)}, ${width}x${height}`),
    line('camera', `${numbers.join(', ')} pixels (${camera.origin})`),
    line('model', describeModel(answer)),
    line('depth', `${near} to ${far} (unit: ${answer.unit}; larger is farther)`),
    '',
    indent(stages.render()),
    '',
    ...results.map(({ holds }, i) => `  ${files[i].padEnd(column)}  ${holds}`),
  ].join('\n');
}

/** What to expect of the models that answered, and how to get better ones. */
export function hintFor(models: ReadonlySet<string>): string | undefined {
  const used = CATALOGUE.find(({ id, embedded }) => embedded !== undefined && models.has(id));
  if (!used) return undefined;
  return [
    '',
    `${used.id} comes with the project and shows that everything works, not how good depth can`,
    `be. A published model answers instead after \`bun run models pull ${SUGGESTED_MODEL}\`.`,
  ].join('\n');
}

/** The smallest indoor metric model, whose licence is free. */
const SUGGESTED_MODEL = 'depth-anything-v2-metric-indoor-small';

function describeModel({ model, model_exact }: PointCloudAnswer): string {
  const entry = CATALOGUE.find(({ id }) => id === model);
  if (!entry) return `${model}, a file registered with \`bun run models add\``;
  if (entry.embedded !== undefined)
    return `${model}, the embedded miniature, not a published model`;
  const standsIn = model_exact ? '' : ', the nearest to ViT-L that is installed';
  return `${model}, published: ${entry.title}${standsIn}`;
}

function line(label: string, text: string): string {
  return `${label.padEnd(COLUMN)}${text}`;
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}

/** As short as it can be from here. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
