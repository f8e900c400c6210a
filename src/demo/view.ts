import { drawCloud, type PictureCamera, renderCloud } from '../media/cloud_picture.ts';

/** A coloured cloud over a regular grid of pixels. */
export interface GridCloud {
  /** Float32 [N, 3], OpenCV axes; z > 0 where there is a point. */
  readonly points: Float32Array;
  /** Uint8 RGB [N, 3]. */
  readonly colors: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Focal length in steps of the grid. */
  readonly focal: number;
}

/** From the right and above, which shows depth best where a floor leads away. */
export const VIEW = { yawDegrees: 25, pitchDegrees: 15 } as const;

/** Stepping back by this share of the median depth keeps near points from filling the picture. */
const STEP_BACK = 0.6;
/** Free room beside the cloud, both sides together, as a share of the picture. */
const MARGIN = 0.08;
/** Strays: this share of the drawn pixels may fall outside on each side. */
const STRAY = 0.002;
/** Sees 72 degrees to each side of the axis, a usual cloud some hundred pixels wide. */
const PROBE: PictureCamera = { width: 1024, height: 1024, fx: 160, fy: 160, cx: 511.5, cy: 511.5 };
const PROBE_POINTS = 65_536;

/** Draws the cloud, whole, from {@link VIEW}: a PNG of the grid's size. */
export function renderView(cloud: GridCloud): Promise<Uint8Array> {
  const { colors, width, height, focal } = cloud;
  const depth = medianDepth(cloud.points);
  const back = depth * STEP_BACK;
  const points = cloud.points.map((value, i) => (i % 3 === 2 && value > 0 ? value + back : value));
  const camera = frame(points, width, height);
  // A pixel's patch of surface has its size at the first camera's distance, not at the new one.
  const spacing = (camera.fx / focal) * (depth / (depth + back));
  return renderCloud(points, colors, camera, { ...VIEW, spacing });
}

/** A camera that sees what the probe sees, with a little room around it. */
function frame(points: Float32Array, width: number, height: number): PictureCamera {
  const { columns, rows } = probe(points);
  const [left, right] = trimmedRange(columns);
  const [top, bottom] = trimmedRange(rows);
  const room = 1 - MARGIN;
  const zoom = room * Math.min(width / (right - left + 1), height / (bottom - top + 1));
  return {
    width,
    height,
    fx: PROBE.fx * zoom,
    fy: PROBE.fy * zoom,
    cx: (width - 1) / 2 + zoom * (PROBE.cx - (left + right) / 2),
    cy: (height - 1) / 2 + zoom * (PROBE.cy - (top + bottom) / 2),
  };
}

/** Where the cloud lies in a wide picture, drawn and so exact: drawn pixels by column and by row. */
function probe(points: Float32Array): { columns: Uint32Array; rows: Uint32Array } {
  const sample = everyNth(points, Math.ceil(points.length / 3 / PROBE_POINTS));
  const white = new Uint8Array(sample.length).fill(255);
  // A spacing of nearly nothing makes each point one pixel.
  const view = { ...VIEW, spacing: Number.MIN_VALUE, background: [0, 0, 0] } as const;
  const { data, width, height } = drawCloud(sample, white, PROBE, view);
  const [columns, rows] = [new Uint32Array(width), new Uint32Array(height)];
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (data[pixel * 3] === 0) continue;
    columns[pixel % width]++;
    rows[Math.floor(pixel / width)]++;
  }
  return { columns, rows };
}

function everyNth(points: Float32Array, n: number): Float32Array {
  const count = Math.ceil(points.length / 3 / n);
  const sample = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) sample.set(points.subarray(i * n * 3, i * n * 3 + 3), i * 3);
  return sample;
}

/** The first and last index, leaving out {@link STRAY} of all that is counted on each side. */
function trimmedRange(counts: Uint32Array): [number, number] {
  const strays = STRAY * counts.reduce((sum, count) => sum + count, 0);
  return [firstPast(counts, strays), counts.length - 1 - firstPast(counts.toReversed(), strays)];
}

/** Where the running sum exceeds a bound. */
function firstPast(counts: Uint32Array, bound: number): number {
  let sum = 0;
  return counts.findIndex((count) => {
    sum += count;
    return sum > bound;
  });
}

function medianDepth(points: Float32Array): number {
  const depths = everyNth(points, Math.ceil(points.length / 3 / PROBE_POINTS))
    .filter((value, i) => i % 3 === 2 && value > 0)
    .sort();
  return depths[depths.length >> 1];
}
