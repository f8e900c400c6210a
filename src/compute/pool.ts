/**
 * Keeps released buffers for reuse, by size class: powers of two up to 1 MiB, then steps of an
 * eighth of the next power, so that at most a ninth of a large buffer is slack.
 */
export class BufferPool<B> {
  private readonly free = new Map<number, B[]>();
  private usedBytes = 0;
  private pooledBytes = 0;

  constructor(
    private readonly create: (bytes: number) => B,
    private readonly destroy: (buffer: B) => void,
    private readonly capacityBytes: number,
  ) {}

  acquire(bytes: number): B {
    const size = sizeClass(bytes);
    this.usedBytes += size;
    const buffer = this.free.get(size)?.pop();
    if (buffer === undefined) return this.create(size);
    this.pooledBytes -= size;
    return buffer;
  }

  /** `bytes` must be what `acquire` was called with. */
  release(buffer: B, bytes: number): void {
    const size = sizeClass(bytes);
    this.usedBytes -= size;
    this.pooledBytes += size;
    // The class used last goes to the end, so that the first is the one to give up.
    const list = this.free.get(size) ?? [];
    this.free.delete(size);
    this.free.set(size, list);
    list.push(buffer);
    while (this.pooledBytes > this.capacityBytes) this.evict();
  }

  private evict(): void {
    const [[size, list]] = this.free;
    const buffer = list.pop();
    if (list.length === 0) this.free.delete(size);
    if (buffer === undefined) return;
    this.pooledBytes -= size;
    this.destroy(buffer);
  }

  /** Destroys a buffer in use, for one that cannot be used again. */
  discard(buffer: B, bytes: number): void {
    this.usedBytes -= sizeClass(bytes);
    this.destroy(buffer);
  }

  memory(): { usedBytes: number; pooledBytes: number } {
    return { usedBytes: this.usedBytes, pooledBytes: this.pooledBytes };
  }

  clear(): void {
    for (const list of this.free.values()) list.forEach(this.destroy);
    this.free.clear();
    this.pooledBytes = 0;
  }
}

const MIB = 1 << 20;

/** The size that is allocated for a request of `bytes`; at least 256. */
export function sizeClass(bytes: number): number {
  const power = 2 ** Math.ceil(Math.log2(Math.max(bytes, 256)));
  if (power <= MIB) return power;
  const step = power / 16;
  return Math.ceil(bytes / step) * step;
}
