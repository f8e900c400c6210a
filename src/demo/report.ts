import { relative } from 'node:path';
import type { HealthAnswer, PointCloudAnswer, Segmented } from '../client/index.ts';
import { CATALOGUE } from '../models/catalogue.ts';
import type { Picture } from './picture.ts';
import type { Result } from './results.ts';
import type { Scene } from './scene.ts';
import type { SegmentShown } from './segments.ts';
import { renderColumns, type Stages } from './stages.ts';

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

/** What was found in the scene. */
export function describeScene(
  { path, width, height }: Scene,
  segments: readonly SegmentShown[],
): string {
  const columns = Object.fromEntries(segments.map(({ ask, stages }) => [ask.name, stages]));
  const models = new Map(segments.map(({ answer }) => [answer.model, answer]));
  const files = segments.map((segment) => shown(segment.path));
  const column = Math.max(...files.map((file) => file.length));
  return [
    '',
    line('picture', `${shown(path)}, ${width}x${height}`),
    ...[...models.values()].map((answer) => line('model', describeModel(answer))),
    ...segments.map(({ ask, answer }) =>
      line(ask.name, `${ask.given}: ${countMasks(answer)}, ${describeFeatures(answer)}`),
    ),
    '',
    indent(renderColumns(columns)),
    '',
    ...segments.map(({ ask }, i) => `  ${files[i].padEnd(column)}  masks of the ${ask.name}`),
  ].join('\n');
}

function countMasks({ scores }: Segmented): string {
  if (scores.length === 0) return 'nothing found';
  const list = scores.map((score) => score.toFixed(2)).join(', ');
  return scores.length === 1 ? `1 mask, score ${list}` : `${scores.length} masks, scores ${list}`;
}

function describeFeatures({ cache_hit }: Segmented): string {
  return cache_hit ? 'features kept from before' : 'picture encoded';
}

/** What to expect of the models that answered, and how to get better ones. */
export function hintFor(models: ReadonlySet<string>): string | undefined {
  const used = CATALOGUE.filter(({ id, embedded }) => embedded !== undefined && models.has(id));
  if (used.length === 0) return undefined;
  const names = used.map(({ id }) => id).join(' and ');
  const come = used.length === 1 ? `${names} comes` : `${names} come`;
  const suggested = SUGGESTED_MODELS.filter(({ family }) =>
    used.some((entry) => entry.family === family),
  );
  return [
    '',
    `${come} with the project, to show that everything works, not how good it can be.`,
    'Published models answer instead after',
    ...suggested.map(({ id, answers }) => `  bun run models pull ${id}  (${answers})`),
  ].join('\n');
}

/** The smallest ones whose licence is free, and SAM 3, which is the only one for texts. */
const SUGGESTED_MODELS = [
  {
    family: 'depth',
    id: 'depth-anything-v2-metric-indoor-small',
    answers: 'depth indoors, 99 MB, Apache-2.0',
  },
  { family: 'segment', id: 'edgetam', answers: 'clicks and boxes, 41 MB, Apache-2.0' },
  { family: 'segment', id: 'sam3-concept-fp16', answers: 'texts, 1.7 GB, SAM License' },
] as const;

export function describeModel({
  model,
  model_exact,
}: Pick<PointCloudAnswer | Segmented, 'model' | 'model_exact'>): string {
  const entry = CATALOGUE.find(({ id }) => id === model);
  if (!entry) return `${model}, a file registered with \`bun run models add\``;
  if (entry.embedded !== undefined)
    return `${model}, the embedded miniature, not a published model`;
  const best = entry.family === 'depth' ? 'ViT-L' : 'SAM 3';
  const standsIn = model_exact ? '' : `, the nearest to ${best} that is installed`;
  return `${model}, published: ${entry.title}${standsIn}`;
}

export function line(label: string, text: string): string {
  return `${label.padEnd(COLUMN)}${text}`;
}

export function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}

/** As short as it can be from here. */
export function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
