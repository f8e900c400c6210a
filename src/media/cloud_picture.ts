import type { RgbImage } from './image.ts';
import { encodeRgbPng } from './png.ts';

/** A pinhole camera in pixels; the centre of the top left pixel is (0, 0). */
export interface PictureCamera {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly width: number;
  readonly height: number;
}

/** Where the cloud is seen from: the camera, orbited around the cloud's median point. */
export interface Viewpoint {
  /** Degrees; positive moves the viewer to the right. */
  readonly yawDegrees: number;
  /** Degrees; positive moves the viewer up. */
  readonly pitchDegrees: number;
  /** Pixels between neighbouring points in the picture they come from. Default 1. */
  readonly spacing?: number;
  /** RGB of what no point covers. Default: near black. */
  readonly background?: readonly [number, number, number];
}

type Vec3 = readonly [number, number, number];

const BACKGROUND = [22, 22, 26] as const;
/** Closes the gaps of a surface that the orbit turns up to 60 degrees away: 1/cos(60°). */
const SPLAT_SCALE = 2;
const MAX_SPLAT = 16;
/** Nearer than this share of the median depth nothing is drawn: it would fill the picture. */
const NEAR = 0.05;
/** Relative difference in depth up to which two pixels count as one surface. */
const SAME_SURFACE = 0.05;
const MEDIAN_SAMPLES = 8192;

/**
 * Draws a coloured cloud from a second viewpoint and encodes it as PNG. See {@link drawCloud}.
 */
export async function renderCloud(
  points: Float32Array,
  colors: Uint8Array,
  camera: PictureCamera,
  view: Viewpoint,
): Promise<Uint8Array> {
  const { data, width, height } = drawCloud(points, colors, camera, view);
  return encodeRgbPng(data, width, height);
}

/**
 * Draws a coloured cloud with a z-buffer. A point is a square as wide as the patch of surface that
 * its pixel covered (depth / focal length) looks from the new viewpoint, so that surfaces close;
 * what the first camera could not see stays background. Points that aren't finite or lie behind
 * the first camera are skipped.
 *
 * @param points float32 N×3, any unit, OpenCV axes (x right, y down, z ahead) of the camera that
 *   the cloud was made with.
 * @param colors uint8 N×3, RGB.
 * @param camera The intrinsics and size to draw with, as a rule those of the same camera.
 * @throws {RangeError} When the lengths differ.
 */
export function drawCloud(
  points: Float32Array,
  colors: Uint8Array,
  camera: PictureCamera,
  view: Viewpoint,
): RgbImage {
  if (points.length !== colors.length) {
    throw new RangeError(`${points.length} coordinates but ${colors.length} colour values`);
  }
  const canvas = blank(camera.width, camera.height, view.background ?? BACKGROUND);
  const pivot = medianPoint(points);
  const turn = orbit(view.yawDegrees, view.pitchDegrees);
  const scale = (view.spacing ?? 1) * SPLAT_SCALE;
  for (let at = 0; at < points.length; at += 3) {
    if (!isInFront(points, at)) continue;
    const depth = points[at + 2];
    const [x, y, z] = turn(points[at] - pivot[0], points[at + 1] - pivot[1], depth - pivot[2]);
    const seen = z + pivot[2];
    if (!(seen > NEAR * pivot[2])) continue;
    const u = camera.cx + (camera.fx * (x + pivot[0])) / seen;
    const v = camera.cy + (camera.fy * (y + pivot[1])) / seen;
    const side = Math.min(Math.ceil((scale * depth) / seen), MAX_SPLAT);
    splat(canvas, u, v, seen, side, colors, at);
  }
  closeGaps(canvas);
  return { data: canvas.rgb, width: canvas.width, height: canvas.height };
}

interface Canvas {
  readonly rgb: Uint8Array<ArrayBuffer>;
  /** Depth of the nearest point at each pixel; infinity where there is none. */
  readonly nearest: Float32Array;
  readonly width: number;
  readonly height: number;
}

function blank(width: number, height: number, background: Vec3): Canvas {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = background[i % 3];
  const nearest = new Float32Array(width * height).fill(Number.POSITIVE_INFINITY);
  return { rgb, nearest, width, height };
}

/** Draws the colour at `colors[at]` as a square around (u, v) wherever it is the nearest yet. */
function splat(
  { rgb, nearest, width, height }: Canvas,
  u: number,
  v: number,
  depth: number,
  side: number,
  colors: Uint8Array,
  at: number,
): void {
  const left = Math.round(u - (side - 1) / 2);
  const top = Math.round(v - (side - 1) / 2);
  const right = Math.min(left + side, width);
  const bottom = Math.min(top + side, height);
  for (let row = Math.max(top, 0); row < bottom; row++) {
    for (let column = Math.max(left, 0); column < right; column++) {
      const pixel = row * width + column;
      if (depth >= nearest[pixel]) continue;
      nearest[pixel] = depth;
      rgb[pixel * 3] = colors[at];
      rgb[pixel * 3 + 1] = colors[at + 1];
      rgb[pixel * 3 + 2] = colors[at + 2];
    }
  }
}

/**
 * Fills one-pixel cracks: where a surface recedes steeply the splats of two rows miss each other by
 * a little. Only between two neighbours of about one depth, so that outlines stay open.
 */
function closeGaps({ rgb, nearest, width, height }: Canvas): void {
  for (let row = 1; row < height - 1; row++) {
    for (let column = 1; column < width - 1; column++) {
      const pixel = row * width + column;
      if (nearest[pixel] !== Number.POSITIVE_INFINITY) continue;
      // A filled pixel stays at infinity, and so never fills another.
      const step = [width, 1].find(
        (by) => Math.abs(nearest[pixel - by] / nearest[pixel + by] - 1) < SAME_SURFACE,
      );
      if (step) rgb.copyWithin(pixel * 3, (pixel - step) * 3, (pixel - step) * 3 + 3);
    }
  }
}

function isInFront(points: Float32Array, at: number): boolean {
  return points[at + 2] > 0 && Number.isFinite(points[at] + points[at + 1] + points[at + 2]);
}

/** Median of each coordinate over an even sample of the points in front of the camera. */
function medianPoint(points: Float32Array): Vec3 {
  const stride = Math.max(1, Math.floor(points.length / 3 / MEDIAN_SAMPLES)) * 3;
  const axes: number[][] = [[], [], []];
  for (let at = 0; at < points.length; at += stride) {
    if (!isInFront(points, at)) continue;
    for (let axis = 0; axis < 3; axis++) axes[axis].push(points[at + axis]);
  }
  const [x, y, z] = axes.map((values) => {
    values.sort((a, b) => a - b);
    return values[values.length >> 1] ?? 0;
  });
  return [x, y, z];
}

/** The scene's rotation when the viewer orbits: about y by the yaw, then about x by the pitch. */
function orbit(yawDegrees: number, pitchDegrees: number) {
  const [yaw, pitch] = [yawDegrees, pitchDegrees].map((degrees) => (degrees * Math.PI) / 180);
  const [sinYaw, cosYaw, sinPitch, cosPitch] = [
    Math.sin(yaw),
    Math.cos(yaw),
    Math.sin(pitch),
    Math.cos(pitch),
  ];
  return (x: number, y: number, z: number): Vec3 => {
    const turned = cosYaw * z - sinYaw * x;
    return [
      cosYaw * x + sinYaw * z,
      cosPitch * y - sinPitch * turned,
      sinPitch * y + cosPitch * turned,
    ];
  };
}
