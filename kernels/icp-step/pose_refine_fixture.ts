/** test/fixtures/pose-refine: what kernels that refine and judge poses must compute. */
import { join } from 'node:path';
import type { unpack } from '../render-poses/pose_kernels_fixture.ts';

type Packed = Parameters<typeof unpack>[0];

export interface IcpCase {
  readonly name: string;
  readonly sets: number;
  readonly points: Packed;
  readonly normals: Packed;
  readonly frames: Packed;
  readonly sums: Packed;
  /** The sums of what `sums` adds up, without signs. */
  readonly scales: Packed;
  /** The poses after a damped step. */
  readonly stepped: Packed;
}

interface Manifest {
  readonly icp: {
    readonly lens: Readonly<Record<'fx' | 'fy' | 'cx' | 'cy', number>>;
    readonly gates: Readonly<Record<'max_distance' | 'min_cosine', number>>;
    readonly damping: number;
    readonly observed: Packed;
    readonly observed_normals: Packed;
    readonly poses: Packed;
    readonly cases: readonly IcpCase[];
  };
  readonly score: Readonly<Record<'rendered' | 'observed' | 'mask' | 'shared' | 'each', Packed>> & {
    readonly tolerance: number;
  };
}

const FILE = join(import.meta.dir, '../../test/fixtures/pose-refine/manifest.json');

export const refined: Manifest = await Bun.file(FILE).json();
