import type { PoseScene } from './pose_scene.ts';
import type { PoseShown } from './poses.ts';
import { indent, line, shown } from './report.ts';
import { renderColumns } from './stages.ts';

type Rows = readonly (readonly number[])[];

/** Where the object was found, and how far that is from where it is. */
export function describePoses(
  { path, name, truth }: PoseScene,
  poses: readonly PoseShown[],
): string {
  const columns = Object.fromEntries(poses.map(({ ask, stages }) => [ask.name, stages]));
  const files = poses.map((pose) => shown(pose.path));
  const column = Math.max(...files.map((file) => file.length));
  const [{ found: first }] = poses;
  return [
    '',
    line('picture', `${shown(path)}, with its depth and its camera`),
    line('object', `${name}, a mesh ${first.mesh_diameter.toFixed(3)} m across`),
    line('method', describeMethod(first.method)),
    ...poses.flatMap((pose) => describePose(pose, truth)),
    '',
    indent(renderColumns(columns)),
    '',
    ...files.map(
      (file, i) =>
        `  ${file.padEnd(column)}  outline and axes (x red, y green, z blue) where the ${poses[i].ask.name} led`,
    ),
  ].join('\n');
}

function describeMethod(method: PoseShown['found']['method']): string {
  return method === 'geometric'
    ? 'geometric, by shape and depth alone, without weights'
    : 'learned, FoundationPose';
}

function describePose({ ask, found }: PoseShown, truth: Rows): string[] {
  const { pose, inlier_fraction: inliers, mask_pixels: pixels, mask_score: score } = found;
  const by = score === null ? '' : `, score ${score.toFixed(2)}`;
  const { degrees, metres } = poseDifference(pose, truth);
  const off = `${(1000 * metres).toFixed(1)} mm and ${degrees.toFixed(2)}° from the truth`;
  return [
    line(ask.name, `${ask.given}: ${pixels} pixels${by}`),
    line('pose', `${(100 * inliers).toFixed(0)} % inliers, ${off}; rotation | metres:`),
    ...pose.slice(0, 3).map((row) => line('', writeRow(row))),
  ];
}

function writeRow(row: readonly number[]): string {
  const [a, b, c, place] = row.map((value) => value.toFixed(4).padStart(8));
  return `${a}${b}${c}  |${place}`;
}

/** Between two 4×4 poses: the angle of the turn from one to the other, and how far the origin moved. */
function poseDifference(a: Rows, b: Rows): { degrees: number; metres: number } {
  let squares = 0;
  for (let row = 0; row < 3; row++) {
    for (let k = 0; k < 3; k++) squares += (a[row][k] - b[row][k]) ** 2;
  }
  // |A − B|_F = √8·sin(angle/2), which is precise for small angles.
  const degrees = 2 * Math.asin(Math.min(Math.sqrt(squares / 8), 1)) * (180 / Math.PI);
  return { degrees, metres: Math.hypot(...[0, 1, 2].map((row) => a[row][3] - b[row][3])) };
}
