import { LRUCache } from 'lru-cache';
import type { Backend } from '../compute/backend.ts';
import { BYTES, elementCount, type Tensor } from '../compute/tensor.ts';

export type NamedTensors = Readonly<Record<string, Tensor>>;

export interface CacheOptions {
  /** Of all entries together; 0 keeps nothing. */
  readonly maxBytes: number;
  /** Since the last use; 0 never drops an entry for its age. */
  readonly ttlMs: number;
  /** Told when an entry was dropped for its age, which happens between tasks. */
  onExpired?(): void;
}

/** Tensors lent to a task: they stay on the device at least until it gives them back. */
export interface Lease {
  readonly tensors: NamedTensors;
  /** A second call does nothing. */
  release(): void;
}

/**
 * Tensors by key that stay on the device between tasks, the least recently used dropped past a bound
 * in bytes, and all some time after their last use. What a task has on lease is dropped when it
 * gives it back.
 */
export class FeatureCache {
  hits = 0;
  misses = 0;
  private readonly entries: LRUCache<string, Entry> | null;

  constructor(
    private readonly backend: Backend,
    private readonly options: CacheOptions,
  ) {
    const { maxBytes, ttlMs } = options;
    this.entries =
      maxBytes > 0
        ? new LRUCache<string, Entry>({
            maxSize: maxBytes,
            ttl: ttlMs,
            ttlAutopurge: ttlMs > 0,
            updateAgeOnGet: true,
            dispose: (entry) => entry.drop(),
            // Not before: the last entry still counts while it is disposed of.
            disposeAfter: (_, __, reason) => {
              if (reason === 'expire') options.onExpired?.();
            },
          })
        : null;
  }

  get bytes(): number {
    return this.entries?.calculatedSize ?? 0;
  }

  get size(): number {
    return this.entries?.size ?? 0;
  }

  /** What is there for a key, counted as a hit, or null, counted as a miss. */
  get(key: string): Lease | null {
    const entry = this.entries?.get(key);
    if (entry) this.hits++;
    else this.misses++;
    return entry?.lend() ?? null;
  }

  /** Takes tensors over, and lends them; what is larger than the bound lives as long as the lease. */
  add(key: string, tensors: NamedTensors): Lease {
    const entry = new Entry(this.backend, tensors);
    const lease = entry.lend();
    if (entry.bytes <= this.options.maxBytes) {
      this.entries?.set(key, entry, { size: Math.max(1, entry.bytes) });
    } else {
      entry.drop();
    }
    return lease;
  }

  clear(): void {
    this.entries?.clear();
  }
}

/** Tensors with the number of tasks that use them. */
class Entry {
  readonly bytes: number;
  private users = 0;
  private dropped = false;

  constructor(
    private readonly backend: Backend,
    private readonly tensors: NamedTensors,
  ) {
    this.bytes = Object.values(tensors).reduce(
      (sum, { dims, dtype }) => sum + elementCount(dims) * BYTES[dtype],
      0,
    );
  }

  lend(): Lease {
    this.users++;
    let open = true;
    return {
      tensors: this.tensors,
      release: () => {
        if (open) this.users--;
        open = false;
        this.freeIfUnused();
      },
    };
  }

  /** The cache has given it up. */
  drop(): void {
    this.dropped = true;
    this.freeIfUnused();
  }

  private freeIfUnused(): void {
    // Releasing twice does nothing.
    if (this.dropped && this.users === 0) this.backend.release(...Object.values(this.tensors));
  }
}
