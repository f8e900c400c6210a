import type { DType, TypedArray } from './tensor.ts';

/** Scalars that change per run, in the order of the WGSL `struct Params`. */
export type UniformLayout = Readonly<Record<string, 'u32' | 'i32' | 'f32'>>;
export type UniformValues<U extends UniformLayout> = { readonly [K in keyof U]: number };

/** One storage buffer: WGSL `@binding(i)` and the i-th argument of the CPU twin. */
export interface KernelBuffer {
  readonly name: string;
  readonly dtype: DType;
  readonly access: 'read' | 'write';
}

/**
 * One computation with two bodies of the same meaning: a WGSL entry point `main` and a CPU twin.
 *
 * What is fixed at compile time (name, source, workgroup) is apart from what changes per run
 * (uniforms, number of invocations), so that one pipeline serves every size. Bindings 0…n−1 of
 * group 0 are `buffers` in order; binding n is the uniform struct.
 */
export interface Kernel<U extends UniformLayout = UniformLayout> {
  readonly name: string;
  readonly wgsl: string;
  readonly buffers: readonly KernelBuffer[];
  readonly uniforms: U;
  /** Must equal `@workgroup_size` in the WGSL. */
  readonly workgroup: readonly [number, number, number];
  /** Invocations needed along x, y, z; the WGSL ignores those past the edge. */
  invocations(params: UniformValues<U>): readonly [number, number, number];
  cpu(buffers: readonly TypedArray[], params: UniformValues<U>): void;
}

/** Identity, for inference of the uniform layout. */
export function defineKernel<const U extends UniformLayout>(kernel: Kernel<U>): Kernel<U> {
  return kernel;
}

/** Packs uniforms as WGSL lays out a struct of 4-byte scalars, padded to 16 bytes. */
export function packUniforms<U extends UniformLayout>(
  layout: U,
  values: UniformValues<U>,
): ArrayBuffer {
  const names = Object.keys(layout);
  const buffer = new ArrayBuffer(Math.max(16, Math.ceil((names.length * 4) / 16) * 16));
  const view = new DataView(buffer);
  names.forEach((name, index) => {
    const value = values[name];
    if (layout[name] === 'f32') view.setFloat32(index * 4, value, true);
    else if (layout[name] === 'i32') view.setInt32(index * 4, value, true);
    else view.setUint32(index * 4, value, true);
  });
  return buffer;
}
