import { BufferPool } from '../pool.ts';

const MAX_STAGING_BYTES = 256 << 20;

/**
 * Copies device buffers to the host through a ring of mappable staging buffers, so that a new
 * readback neither allocates nor waits for the one before it.
 */
export class ReadbackRing {
  private readonly staging: BufferPool<GPUBuffer>;

  constructor(private readonly device: GPUDevice) {
    this.staging = new BufferPool(
      (size) =>
        device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
      (buffer) => buffer.destroy(),
      MAX_STAGING_BYTES,
    );
  }

  /** The first `bytes` of a buffer, in fresh host memory. */
  async read(source: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    // Copies are in whole words.
    const padded = Math.ceil(bytes / 4) * 4;
    const target = this.staging.acquire(padded);
    try {
      const encoder = this.device.createCommandEncoder();
      encoder.copyBufferToBuffer(source, 0, target, 0, padded);
      this.device.queue.submit([encoder.finish()]);
      await target.mapAsync(GPUMapMode.READ, 0, padded);
      const copy = target.getMappedRange(0, padded).slice(0, bytes);
      target.unmap();
      this.staging.release(target, padded);
      return copy;
    } catch (error) {
      // It may still be mapped, or its device lost: no other readback may get it.
      this.staging.discard(target, padded);
      throw new Error(`a GPU buffer could not be read back: ${error}`, { cause: error });
    }
  }

  memory(): { usedBytes: number; pooledBytes: number } {
    return this.staging.memory();
  }

  clear(): void {
    this.staging.clear();
  }
}
