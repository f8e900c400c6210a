type Numbers = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** A typed array that grows while a file is read whose counts aren't known beforehand. */
export class Growing<T extends Numbers> {
  #values: T;
  #length = 0;

  /** @param make Makes the storage, e.g. `(length) => new Uint32Array(length)`. */
  constructor(
    private readonly make: (length: number) => T,
    capacity = 256,
  ) {
    this.#values = make(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow();
    this.#values[this.#length++] = value;
  }

  /** What was pushed so far, spanning its whole buffer. The list must not be used any more. */
  finish(): T {
    if (this.#length === this.#values.length) return this.#values;
    return this.#values.slice(0, this.#length) as T;
  }

  #grow(): void {
    const larger = this.make(Math.max(256, this.#values.length * 2));
    larger.set(this.#values);
    this.#values = larger;
  }
}

export const growingFloats = (capacity?: number) =>
  new Growing((length) => new Float32Array(length), capacity);

export const growingUints = (capacity?: number) =>
  new Growing((length) => new Uint32Array(length), capacity);
