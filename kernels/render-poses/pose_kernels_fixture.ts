/** test/fixtures/pose-kernels: what the kernels of object pose must compute, by float64 references. */
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { TypedArray } from '../../src/compute/tensor.ts';

interface Packed {
  readonly shape: readonly number[];
  readonly type: 'float32' | 'uint8' | 'uint16' | 'uint32';
  readonly data: string;
}

interface DepthFilterCase {
  readonly name: string;
  readonly options: Readonly<
    Record<
      | 'radius'
      | 'stage'
      | 'min_depth'
      | 'max_depth'
      | 'max_difference'
      | 'max_bad_share'
      | 'sigma_space'
      | 'sigma_depth',
      number
    >
  >;
  readonly filtered: Packed;
}

export interface RenderCase {
  readonly name: string;
  readonly views: readonly string[];
  readonly size: readonly [width: number, height: number];
  readonly vertices: Packed;
  readonly indices: Packed;
  readonly texels: Packed | null;
  readonly poses: Packed;
  readonly windows: Packed;
  readonly depth: Packed;
  /** uint16: a share of 65535. */
  readonly rgb: Packed;
  /** 1 where no other triangle is within 0.08 pixels of the centre. */
  readonly sure: Packed;
}

interface Manifest {
  readonly depth_filter: { readonly depth: Packed; readonly cases: readonly DepthFilterCase[] };
  readonly crop_warp: Readonly<
    Record<'image' | 'points' | 'transforms' | 'rgb' | 'xyz' | 'doubtful', Packed>
  > & { readonly names: readonly string[] };
  readonly pose_input: Readonly<Record<'poses' | 'rgb' | 'xyz', Packed>> & {
    readonly cases: readonly {
      readonly min_depth: number;
      readonly radius: number;
      readonly tensor: Packed;
    }[];
  };
  readonly lens: Readonly<
    Record<'fx' | 'fy' | 'cx' | 'cy' | 'z_near' | 'z_far' | 'ambient' | 'diffuse', number>
  >;
  readonly render: readonly RenderCase[];
  readonly normals: Readonly<Record<'positions' | 'indices' | 'normals', Packed>>;
}

const FILE = join(import.meta.dir, '../../test/fixtures/pose-kernels/manifest.json');

export const expected: Manifest = await Bun.file(FILE).json();

const ARRAYS = {
  float32: Float32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
};

export function unpack(packed: Packed): TypedArray | Uint16Array<ArrayBuffer> {
  const bytes = Uint8Array.from(inflateSync(Uint8Array.fromBase64(packed.data)));
  return new ARRAYS[packed.type](bytes.buffer);
}

export function floats(packed: Packed): Float32Array<ArrayBuffer> {
  return unpack(packed) as Float32Array<ArrayBuffer>;
}
