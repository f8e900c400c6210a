import { HttpError } from '../api/errors.ts';
import { negotiate } from '../api/negotiate.ts';
import { serverTiming } from '../api/server_timing.ts';
import { encodeBase64 } from '../media/base64.ts';
import { encodeNpy } from '../media/npy.ts';
import { encodePly } from '../media/ply.ts';
import { encodeColormapPng, encodeDepthPng16 } from '../media/png.ts';
import type { Colormap, DepthAnswer, PointCloudAnswer } from './schema.ts';
import type { DepthResult } from './service.ts';

export type DepthUnit = DepthAnswer['unit'];

/** A body and its type, before the headers that all answers share. */
interface Encoded {
  readonly body: string | Uint8Array;
  readonly type: string;
}

/** What the caller wants back. */
export interface Preferences {
  readonly accept: string | null;
  readonly colormap?: Colormap;
}

const JSON_TYPE = 'application/json';
const RAW = 'application/octet-stream';
const NPY = 'application/x-npy';
const PNG = 'image/png';
const PLY = 'model/ply';

/** A depth map as JSON, raw float32, .npy or PNG. */
export async function respondDepth(
  result: DepthResult,
  unit: DepthUnit,
  { accept, colormap }: Preferences,
): Promise<Response> {
  const type = negotiate(accept, [JSON_TYPE, RAW, NPY, PNG]);
  return respond(result, unit, async () => {
    if (type === JSON_TYPE) return { type, body: JSON.stringify(depthAnswer(result, unit)) };
    if (type === PNG) return { type, body: await depthPicture(result, unit, colormap) };
    return encodeArray(result.depth, [result.size.height, result.size.width], type);
  });
}

/** A point cloud as JSON, raw float32 [N, 3], .npy or .ply. */
export async function respondCloud(
  result: DepthResult,
  unit: DepthUnit,
  { accept }: Preferences,
): Promise<Response> {
  const type = negotiate(accept, [JSON_TYPE, RAW, NPY, PLY]);
  const points = result.points ?? new Float32Array();
  if (result.colors && type !== JSON_TYPE && type !== PLY) {
    throw new HttpError(
      406,
      `${type} holds points only: for colors ask for ${JSON_TYPE} or ${PLY}`,
    );
  }
  return respond(result, unit, async () => {
    if (type === JSON_TYPE) return { type, body: JSON.stringify(cloudAnswer(result, unit)) };
    if (type === PLY) return { type, body: encodePly(points, result.colors ?? undefined) };
    return encodeArray(points, [points.length / 3, 3], type);
  });
}

async function respond(
  result: DepthResult,
  unit: DepthUnit,
  encode: () => Promise<Encoded>,
): Promise<Response> {
  const started = performance.now();
  const { body, type } = await encode();
  const timings = { ...result.timings, encode: performance.now() - started };
  const headers: Record<string, string> = {
    'Content-Type': type,
    'Server-Timing': serverTiming(timings),
  };
  if (type === JSON_TYPE) return new Response(body as string, { headers });
  return new Response(body as string, { headers: { ...headers, ...factHeaders(result, unit) } });
}

/** What the JSON says beside the array, for the forms that have no room for it. */
export const FACT_HEADERS = [
  'X-Shape',
  'X-Dtype',
  'X-Min',
  'X-Max',
  'X-Kind',
  'X-Unit',
  'X-Model',
  'X-Model-Exact',
] as const;

function factHeaders(
  { points, size, min, max, kind, model, exact }: DepthResult,
  unit: DepthUnit,
): Record<(typeof FACT_HEADERS)[number], string> {
  const shape = points ? [points.length / 3, 3] : [size.height, size.width];
  return {
    'X-Shape': shape.join(','),
    'X-Dtype': '<f4',
    'X-Min': String(min),
    'X-Max': String(max),
    'X-Kind': kind,
    'X-Unit': unit,
    'X-Model': model,
    'X-Model-Exact': String(exact),
  };
}

function encodeArray(data: Float32Array<ArrayBuffer>, shape: number[], type: string): Encoded {
  if (type === NPY) return { type, body: encodeNpy(data, shape) };
  return { type, body: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function depthAnswer(result: DepthResult, unit: DepthUnit): DepthAnswer {
  return {
    depth_map: encodeBase64(result.depth),
    shape: [result.size.height, result.size.width],
    ...facts(result, unit),
  };
}

function cloudAnswer(result: DepthResult, unit: DepthUnit): PointCloudAnswer {
  const points = result.points ?? new Float32Array();
  return {
    pointcloud: encodeBase64(points),
    pointcloud_shape: [points.length / 3, 3],
    ...(result.colors && { colors: encodeBase64(result.colors) }),
    depth_map: encodeBase64(result.depth),
    depth_shape: [result.size.height, result.size.width],
    ...facts(result, unit),
  };
}

function facts({ min, max, kind, model, exact }: DepthResult, unit: DepthUnit) {
  return { min, max, kind, unit, model, model_exact: exact };
}

/** Millimetres in 16 bits, which only metres can be; anything, coloured. */
function depthPicture(
  { depth, size, kind }: DepthResult,
  unit: DepthUnit,
  colormap?: Colormap,
): Promise<Uint8Array> {
  const { width, height } = size;
  // Near is warm in both: small metres, large disparity.
  if (colormap) {
    return encodeColormapPng(depth, width, height, { colormap, invert: kind === 'metric' });
  }
  if (unit === 'metre') return encodeDepthPng16(depth, width, height);
  throw new HttpError(
    406,
    `image/png is 16-bit millimetres and this depth has unit "${unit}": use /metric_depth, or add ?colormap=turbo`,
  );
}
