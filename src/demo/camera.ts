import type { PointCloudFields } from '../depth/schema.ts';
import { DemoError } from './errors.ts';

/** Pinhole intrinsics in pixels. */
export type Intrinsics = PointCloudFields['camera_intrinsics'];

/** A camera, and in words where its numbers come from. */
export interface Camera {
  readonly intrinsics: Intrinsics;
  readonly origin: string;
}

/** What the command line says of the camera; text as typed. */
export type CameraFlags = Readonly<Partial<Record<'fx' | 'fy' | 'cx' | 'cy' | 'fov', string>>>;

export const CAMERA_FLAGS = ['fx', 'fy', 'cx', 'cy', 'fov'] as const;

/** About that of a phone's main camera or a 35 mm lens on film, in landscape. */
const ASSUMED_FOV_DEGREES = 60;

/**
 * The camera of a picture that says nothing of it: what the flags give, and for the rest square
 * pixels, the principal point in the centre and a horizontal field of view of 60 degrees.
 *
 * @throws DemoError for a flag that is not a possible number, or `fov` beside a focal length
 */
export function cameraFromFlags(
  flags: CameraFlags,
  { width, height }: { readonly width: number; readonly height: number },
): Camera {
  const given = Object.fromEntries(CAMERA_FLAGS.map((name) => [name, number(flags, name)]));
  const { fx, fy, fov } = given;
  if (fov !== undefined && (fx ?? fy) !== undefined) {
    throw new DemoError('--fov and a focal length (--fx, --fy) say the same thing: give one');
  }
  const focal = focalLength(fov ?? ASSUMED_FOV_DEGREES, width);
  const intrinsics = {
    fx: fx ?? fy ?? focal,
    fy: fy ?? fx ?? focal,
    cx: given.cx ?? (width - 1) / 2,
    cy: given.cy ?? (height - 1) / 2,
  };
  const isGiven = (...names: (keyof CameraFlags)[]) =>
    names.some((name) => given[name] !== undefined);
  const named = CAMERA_FLAGS.filter((name) => isGiven(name)).map((name) => `--${name}`);
  const assumed = [
    ...(isGiven('fx', 'fy', 'fov') ? [] : [`${ASSUMED_FOV_DEGREES}° wide`]),
    ...(isGiven('cx', 'cy') ? [] : ['centred']),
  ];
  const origin = [named.join(' '), assumed.length > 0 && `assumed ${assumed.join(', ')}`];
  return { intrinsics, origin: origin.filter(Boolean).join('; ') };
}

/** Pinhole: half the width over the tangent of half the angle. */
function focalLength(fovDegrees: number, width: number): number {
  return width / 2 / Math.tan((fovDegrees * Math.PI) / 360);
}

function number(flags: CameraFlags, name: keyof CameraFlags): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  const isPossible = name === 'fov' ? value > 0 && value < 180 : /^f/.test(name) ? value > 0 : true;
  if (Number.isFinite(value) && isPossible) return value;
  const wanted = { fov: 'degrees between 0 and 180', fx: 'pixels above 0', fy: 'pixels above 0' };
  const expected = name === 'cx' || name === 'cy' ? 'pixels' : wanted[name];
  throw new DemoError(`--${name} is "${text}"; expected ${expected}`);
}
