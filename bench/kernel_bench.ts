import type { Backend } from '../src/compute/backend.ts';

/** A kernel at one size. */
export interface KernelCase {
  readonly name: string;
  /** Milliseconds that the CPU twin may take, where a bound is set. */
  readonly cpuBoundMs?: number;
  /** Allocates what the kernel needs. */
  prepare(backend: Backend): PreparedKernel;
}

interface PreparedKernel {
  /** Computes on the CPU; enqueues on a GPU. */
  run(): void;
  release(): void;
}

/** What `kernels/<name>/<name>.bench.ts` exports as `bench`. */
export interface KernelBench {
  readonly kernel: string;
  readonly cases: readonly KernelCase[];
}
