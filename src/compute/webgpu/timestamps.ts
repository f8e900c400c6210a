const CAPACITY = 256;

/** Times compute passes on the GPU's own clock, where the device has `timestamp-query`. */
export class GpuTimer {
  private readonly queries: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private names: string[] = [];

  constructor(private readonly device: GPUDevice) {
    this.queries = device.createQuerySet({ type: 'timestamp', count: CAPACITY * 2 });
    this.resolved = device.createBuffer({
      size: CAPACITY * 16,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  /** Where the next pass writes its begin and end; undefined when the set is full. */
  next(name: string): GPUComputePassTimestampWrites | undefined {
    if (this.names.length === CAPACITY) return undefined;
    const index = this.names.push(name) - 1;
    return {
      querySet: this.queries,
      beginningOfPassWriteIndex: index * 2,
      endOfPassWriteIndex: index * 2 + 1,
    };
  }

  /** Nanoseconds by name since the last call. */
  async take(read: (source: GPUBuffer, bytes: number) => Promise<ArrayBuffer>) {
    const names = this.names;
    this.names = [];
    const times = new Map<string, number[]>();
    if (names.length === 0) return times;
    const encoder = this.device.createCommandEncoder();
    encoder.resolveQuerySet(this.queries, 0, names.length * 2, this.resolved, 0);
    this.device.queue.submit([encoder.finish()]);
    const ticks = new BigUint64Array(await read(this.resolved, names.length * 16));
    names.forEach((name, index) => {
      const nanoseconds = Number(ticks[index * 2 + 1] - ticks[index * 2]);
      times.set(name, [...(times.get(name) ?? []), nanoseconds]);
    });
    return times;
  }
}
