import { type Kernel, packUniforms, type UniformLayout, type UniformValues } from '../kernel.ts';
import type { GpuTensor } from './gpu_tensor.ts';
import type { GpuTimer } from './timestamps.ts';

interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly uniforms: GPUBuffer;
}

/** Compiles each kernel once per device and dispatches it. */
export class KernelRunner {
  private readonly compiled = new Map<string, Compiled>();

  constructor(
    private readonly device: GPUDevice,
    private readonly timer: GpuTimer | null,
  ) {}

  run<U extends UniformLayout>(
    kernel: Kernel<U>,
    tensors: readonly GpuTensor[],
    params: UniformValues<U>,
  ): void {
    checkBuffers(kernel, tensors);
    const groups = this.workgroups(kernel, params);
    const { pipeline, layout, uniforms } = this.compile(kernel);
    // Queue order makes one uniform buffer a kernel enough: this write waits for the last submit.
    this.device.queue.writeBuffer(uniforms, 0, packUniforms(kernel.uniforms, params));
    const group = this.device.createBindGroup({
      layout,
      entries: [...tensors.map((tensor) => tensor.buffer), uniforms].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      })),
    });
    const encoder = this.device.createCommandEncoder({ label: kernel.name });
    const timestampWrites = this.timer?.next(kernel.name);
    const pass = encoder.beginComputePass({ label: kernel.name, timestampWrites });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...groups);
    pass.end();
    this.device.queue.submit([encoder.finish()]);
  }

  private workgroups<U extends UniformLayout>(
    kernel: Kernel<U>,
    params: UniformValues<U>,
  ): readonly [number, number, number] {
    const [x, y, z] = kernel.invocations(params);
    const [wx, wy, wz] = kernel.workgroup;
    const groups = [Math.ceil(x / wx), Math.ceil(y / wy), Math.ceil(z / wz)] as const;
    const limit = this.device.limits.maxComputeWorkgroupsPerDimension;
    if (Math.max(...groups) <= limit) return groups;
    throw new RangeError(
      `kernel ${kernel.name}: ${groups} workgroups; this device takes at most ${limit} a dimension`,
    );
  }

  private compile<U extends UniformLayout>(kernel: Kernel<U>): Compiled {
    const known = this.compiled.get(kernel.name);
    if (known) return known;
    const layout = this.device.createBindGroupLayout({
      label: kernel.name,
      entries: [
        ...kernel.buffers.map(({ access }, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' } as const,
        })),
        {
          binding: kernel.buffers.length,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: 'uniform' as const },
        },
      ],
    });
    const module = this.device.createShaderModule({ label: kernel.name, code: kernel.wgsl });
    const pipeline = this.device.createComputePipeline({
      label: kernel.name,
      layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    });
    const uniforms = createUniforms(this.device, Object.keys(kernel.uniforms).length);
    const entry = { pipeline, layout, uniforms };
    this.compiled.set(kernel.name, entry);
    return entry;
  }
}

/** A buffer for a struct of 4-byte scalars; see `packUniforms`. */
export function createUniforms(device: GPUDevice, scalars: number): GPUBuffer {
  return device.createBuffer({
    size: Math.max(16, Math.ceil((scalars * 4) / 16) * 16),
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
}

/** Dtypes and count, which WebGPU itself cannot check. */
export function checkBuffers(
  kernel: Pick<Kernel, 'name' | 'buffers'>,
  tensors: readonly GpuTensor[],
): void {
  const expected = kernel.buffers.map(({ dtype }) => dtype).join(', ');
  const given = tensors.map(({ dtype }) => dtype).join(', ');
  if (expected !== given) {
    throw new TypeError(`kernel ${kernel.name}: expected buffers (${expected}), given (${given})`);
  }
}
