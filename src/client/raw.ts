import type { DepthAnswer } from '../depth/schema.ts';
import { expectType } from './connection.ts';
import { ApiError } from './errors.ts';

/** The media type of raw arrays. */
export const RAW = 'application/octet-stream';

/** An array as the server sent it, with what the JSON answer says beside it. */
export interface RawAnswer
  extends Pick<DepthAnswer, 'min' | 'max' | 'kind' | 'unit' | 'model' | 'model_exact'> {
  /** Float32, row-major. */
  readonly data: Float32Array<ArrayBuffer>;
  /** [H, W] of a depth map, [N, 3] of points. */
  readonly shape: readonly [number, number];
}

/** @throws ApiError for an answer that is not raw float32 with its headers, or was cut. */
export async function readRaw(response: Response): Promise<RawAnswer> {
  expectType(response, RAW);
  const header = (name: string): string => {
    const value = response.headers.get(name);
    if (value !== null) return value;
    throw new ApiError(
      response.status,
      `the answer has no ${name} header; a page of another origin sees it only where the server exposes it`,
    );
  };
  const [rows, columns] = header('X-Shape').split(',').map(Number);
  const bytes = await response.arrayBuffer();
  if (bytes.byteLength !== rows * columns * Float32Array.BYTES_PER_ELEMENT) {
    const found = `${bytes.byteLength} bytes for float32 [${rows}, ${columns}]`;
    throw new ApiError(
      response.status,
      `the answer has ${found}: it was cut or changed on its way`,
    );
  }
  return {
    data: new Float32Array(bytes),
    shape: [rows, columns],
    min: Number(header('X-Min')),
    max: Number(header('X-Max')),
    kind: header('X-Kind') as RawAnswer['kind'],
    unit: header('X-Unit') as RawAnswer['unit'],
    model: header('X-Model'),
    model_exact: header('X-Model-Exact') === 'true',
  };
}
