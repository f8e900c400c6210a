import { packUniforms, type UniformLayout, type UniformValues } from '../kernel.ts';
import type { RasterExtent, RasterKernel } from '../raster.ts';
import { Atlas, type AtlasPlan, planAtlas } from './atlas.ts';
import type { GpuTensor } from './gpu_tensor.ts';
import { checkBuffers, createUniforms } from './pipelines.ts';
import type { GpuTimer } from './timestamps.ts';

interface Compiled {
  readonly drawing: GPURenderPipeline;
  readonly computing: GPUComputePipeline;
  readonly uniforms: GPUBuffer;
}

/** Compiles each raster kernel once per device and draws it, as many images a pass as fit. */
export class RasterRunner {
  private readonly compiled = new Map<string, Compiled>();
  private readonly atlas: Atlas;
  /** Struct Tiles of `RasterKernel`. */
  private readonly tiles: GPUBuffer;

  constructor(
    private readonly device: GPUDevice,
    private readonly timer: GpuTimer | null,
    private readonly passPixels?: number,
  ) {
    this.atlas = new Atlas(device);
    this.tiles = createUniforms(device, 2);
  }

  draw<U extends UniformLayout>(
    kernel: RasterKernel<U>,
    tensors: readonly GpuTensor[],
    params: UniformValues<U>,
  ): void {
    checkBuffers(kernel, tensors);
    const extent = kernel.extent(params);
    if (extent.images === 0) return;
    const { maxTextureDimension2D } = this.device.limits;
    const plan = planAtlas(extent, maxTextureDimension2D, this.passPixels);
    const compiled = this.compile(kernel);
    this.device.queue.writeBuffer(compiled.uniforms, 0, packUniforms(kernel.uniforms, params));
    const groups = this.bind(kernel, compiled, tensors, plan);
    for (let first = 0; first < extent.images; first += plan.images) {
      const images = Math.min(plan.images, extent.images - first);
      // Queue order makes one buffer enough: this write waits for the last submit.
      this.device.queue.writeBuffer(this.tiles, 0, Uint32Array.of(first, plan.columns));
      const encoder = this.device.createCommandEncoder({ label: kernel.name });
      const time = this.timer?.next(kernel.name);
      const drawing = encoder.beginRenderPass(describePass(kernel.name, groups.views, time));
      drawing.setPipeline(compiled.drawing);
      drawing.setBindGroup(0, groups.seen);
      drawImages(drawing, first, images, extent, plan.columns);
      drawing.end();
      const timestampWrites = time && endOf(time);
      const computing = encoder.beginComputePass({ label: kernel.name, timestampWrites });
      computing.setPipeline(compiled.computing);
      computing.setBindGroup(0, groups.all);
      computing.setBindGroup(1, groups.drawn);
      const [x, y] = kernel.workgroup;
      const columns = Math.ceil(extent.width / x);
      computing.dispatchWorkgroups(columns, Math.ceil(extent.height / y), images);
      computing.end();
      this.device.queue.submit([encoder.finish()]);
    }
  }

  /** Bytes of the textures that are kept between calls. */
  get byteLength(): number {
    return this.atlas.byteLength;
  }

  clear(): void {
    this.atlas.clear();
  }

  private bind<U extends UniformLayout>(
    { buffers }: RasterKernel<U>,
    { drawing, computing, uniforms }: Compiled,
    tensors: readonly GpuTensor[],
    plan: AtlasPlan,
  ) {
    const entries = [...tensors.map(({ buffer }) => buffer), uniforms].map((buffer, binding) => ({
      binding,
      resource: { buffer },
    }));
    const views = this.atlas.views(plan);
    const group = (layout: GPUBindGroupLayout, bound: Iterable<GPUBindGroupEntry>) =>
      this.device.createBindGroup({ layout, entries: bound });
    return {
      views,
      seen: group(
        drawing.getBindGroupLayout(0),
        entries.filter(({ binding }) => buffers[binding]?.access !== 'write'),
      ),
      all: group(computing.getBindGroupLayout(0), entries),
      drawn: group(computing.getBindGroupLayout(1), [
        { binding: 0, resource: views.ids },
        { binding: 1, resource: { buffer: this.tiles } },
      ]),
    };
  }

  private compile<U extends UniformLayout>(kernel: RasterKernel<U>): Compiled {
    const known = this.compiled.get(kernel.name);
    if (known) return known;
    const { device } = this;
    const { name: label, wgsl: code } = kernel;
    const module = device.createShaderModule({ label, code });
    const [seen, all, drawn] = describeBindings(kernel).map((entries) =>
      device.createBindGroupLayout({ label, entries }),
    );
    const drawing = device.createRenderPipeline({
      label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [seen] }),
      vertex: { module, entryPoint: 'vertex_main' },
      fragment: { module, entryPoint: 'fragment_main', targets: [{ format: 'r32uint' }] },
      primitive: { topology: 'triangle-list', cullMode: 'none' },
      depthStencil: { format: 'depth32float', depthWriteEnabled: true, depthCompare: 'greater' },
    });
    const computing = device.createComputePipeline({
      label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [all, drawn] }),
      compute: { module, entryPoint: 'main' },
    });
    const uniforms = createUniforms(device, Object.keys(kernel.uniforms).length);
    const entry = { drawing, computing, uniforms };
    this.compiled.set(kernel.name, entry);
    return entry;
  }
}

/** What the shaders that draw see, and groups 0 and 1 of the compute shader. */
function describeBindings<U extends UniformLayout>({
  buffers,
}: RasterKernel<U>): GPUBindGroupLayoutEntry[][] {
  const toEntries = (visibility: GPUShaderStageFlags): GPUBindGroupLayoutEntry[] => [
    ...buffers.map(({ access }, binding) => ({
      binding,
      visibility,
      buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' } as const,
    })),
    { binding: buffers.length, visibility, buffer: { type: 'uniform' } },
  ];
  const { COMPUTE, VERTEX } = GPUShaderStage;
  return [
    // A vertex shader may not see a buffer that can be written to.
    toEntries(VERTEX).filter(({ buffer }) => buffer?.type !== 'storage'),
    toEntries(COMPUTE),
    [
      { binding: 0, visibility: COMPUTE, texture: { sampleType: 'uint' } },
      { binding: 1, visibility: COMPUTE, buffer: { type: 'uniform' } },
    ],
  ];
}

function describePass(
  label: string,
  { ids, depth }: ReturnType<Atlas['views']>,
  time: GPUComputePassTimestampWrites | undefined,
): GPURenderPassDescriptor {
  return {
    label,
    colorAttachments: [{ view: ids, loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0, 0] }],
    depthStencilAttachment: {
      view: depth,
      depthLoadOp: 'clear',
      depthStoreOp: 'discard',
      depthClearValue: 0,
    },
    timestampWrites: time && {
      querySet: time.querySet,
      beginningOfPassWriteIndex: time.beginningOfPassWriteIndex,
    },
  };
}

/** The end alone, so that one interval spans both passes. */
function endOf({ querySet, endOfPassWriteIndex }: GPUComputePassTimestampWrites) {
  return { querySet, endOfPassWriteIndex };
}

/** Each image in a viewport of its own, which clips what lies outside. */
function drawImages(
  pass: GPURenderPassEncoder,
  first: number,
  images: number,
  { width, height, triangles }: RasterExtent,
  columns: number,
): void {
  for (let tile = 0; tile < images; tile++) {
    const x = (tile % columns) * width;
    const y = Math.floor(tile / columns) * height;
    pass.setViewport(x, y, width, height, 0, 1);
    // Hardware may draw a little outside of the viewport.
    pass.setScissorRect(x, y, width, height);
    pass.draw(triangles * 3, 1, 0, first + tile);
  }
}
