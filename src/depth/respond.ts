import { HttpError } from '../api/errors.ts';
import { negotiate } from '../api/negotiate.ts';
import { serverTiming } from '../api/server_timing.ts';
import { encodeBase64 } from '../media/base64.ts';
import { encodeNpy } from '../media/npy.ts';
import { encodePly } from '../media/ply.ts';
import { encodeColormapPng, encodeDepthPng16 } from '../media/png.ts';
import type { Colormap, DepthAnswer } from './schema.ts';
import type { DepthResult } from './service.ts';

type DepthUnit = DepthAnswer['unit'];

const JSON_TYPE = 'application/json';
const RAW = 'application/octet-stream';
const NPY = 'application/x-npy';
const PNG = 'image/png';
const PLY = 'model/ply';

const DEPTH_FORMS = [JSON_TYPE, RAW, NPY, PNG] as const;
const CLOUD_FORMS = [JSON_TYPE, RAW, NPY, PLY] as const;

/** How a depth map is to be written; decided before anything is computed. */
export interface DepthForm {
  readonly type: (typeof DEPTH_FORMS)[number];
  readonly unit: DepthUnit;
  readonly colormap?: Colormap;
}

/** How a point cloud is to be written. */
export type CloudForm = (typeof CLOUD_FORMS)[number];

/** @throws HttpError 406 when nothing acceptable is offered, or metres are asked of a ratio */
export function chooseDepthForm(
  accept: string | null,
  unit: DepthUnit,
  colormap?: Colormap,
): DepthForm {
  const type = negotiate(accept, DEPTH_FORMS);
  if (type === PNG && !colormap && unit !== 'metre') {
    throw new HttpError(
      406,
      `image/png is 16-bit millimetres and this depth has unit "${unit}": use /metric_depth, or add ?colormap=turbo`,
    );
  }
  return { type, unit, colormap };
}

/** @throws HttpError 406 when nothing acceptable is offered, or colours have no room in it */
export function chooseCloudForm(accept: string | null, colors: boolean): CloudForm {
  const type = negotiate(accept, CLOUD_FORMS);
  if (!colors || type === JSON_TYPE || type === PLY) return type;
  throw new HttpError(406, `${type} holds points only: for colors ask for ${JSON_TYPE} or ${PLY}`);
}

/** A depth map as JSON, raw float32, .npy or PNG. */
export function respondDepth(
  result: DepthResult,
  { type, unit, colormap }: DepthForm,
): Promise<Response> {
  const { depth, size, kind } = result;
  const shape = [size.height, size.width];
  return respond(result, unit, type, () => {
    if (type === JSON_TYPE) return json({ depth_map: depth }, { shape, ...facts(result, unit) });
    if (type === NPY) return encodeNpy(depth, shape);
    if (type === RAW) return bytesOf(depth);
    // Near is warm in both: small metres, large disparity.
    return colormap
      ? encodeColormapPng(depth, size.width, size.height, { colormap, invert: kind === 'metric' })
      : encodeDepthPng16(depth, size.width, size.height);
  });
}

/** A point cloud as JSON, raw float32 [N, 3], .npy or .ply. */
export function respondCloud(result: DepthResult, type: CloudForm): Promise<Response> {
  const points = result.points ?? new Float32Array();
  const { depth, colors, size } = result;
  const shape = [points.length / 3, 3];
  return respond(result, 'metre', type, () => {
    if (type === PLY) return encodePly(points, colors ?? undefined);
    if (type === NPY) return encodeNpy(points, shape);
    if (type === RAW) return bytesOf(points);
    return json(
      { pointcloud: points, ...(colors && { colors }), depth_map: depth },
      {
        pointcloud_shape: shape,
        depth_shape: [size.height, size.width],
        ...facts(result, 'metre'),
      },
    );
  });
}

/** As JSON.stringify, without its scan of megabytes of base64, in which nothing needs escaping. */
function json(
  arrays: Readonly<Record<string, ArrayBufferView>>,
  rest: Readonly<Record<string, unknown>>,
): string {
  const members = Object.entries(arrays).map(([name, data]) => `"${name}":"${encodeBase64(data)}"`);
  return `{${members.join(',')},${JSON.stringify(rest).slice(1)}`;
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function facts({ min, max, kind, model, exact }: DepthResult, unit: DepthUnit) {
  return { min, max, kind, unit, model, model_exact: exact };
}

async function respond(
  result: DepthResult,
  unit: DepthUnit,
  type: string,
  encode: () => string | Uint8Array | Promise<Uint8Array>,
): Promise<Response> {
  const started = performance.now();
  const body = await encode();
  const timings = { ...result.timings, encode: performance.now() - started };
  const headers = { 'Content-Type': type, 'Server-Timing': serverTiming(timings) };
  const all = type === JSON_TYPE ? headers : { ...headers, ...factHeaders(result, unit) };
  return new Response(body as string, { headers: all });
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
