import type { Backend } from '../../compute/backend.ts';
import { BYTES, elementCount, type Tensor } from '../../compute/tensor.ts';
import { type Direction, type Recall, type RecallOptions, recall } from './recall.ts';

/** What is kept of one object on one frame. */
export interface FrameMemory {
  readonly frame: number;
  /** In which direction the frame was reached. */
  readonly direction: Direction;
  /** float32 [C], `object_pointer`. */
  readonly pointer: Tensor<'float32'>;
  /** The frame that the pointer is of: its own, but see {@link MemoryBank.addTracked}; null for none. */
  pointerFrom: number | null;
  /** float32 [Cm, g, g], `memory_features`; null once it is too far back to be read. */
  memory: Tensor<'float32'> | null;
  /** float32 [1, 1, m, m], the mask as it was decoded; goes with the memory. */
  logits: Tensor<'float32'> | null;
  /** Logit: the object is there where it is above 0. */
  readonly objectScore: number;
  readonly iou: number;
  readonly effectiveIou: number;
  /** Of the prompt, in model pixels; empty where there was none. */
  readonly points: readonly PromptPoint[];
}

/** Label 1 inside, 0 outside, 2 and 3 a box's top left and bottom right corner. */
export interface PromptPoint {
  readonly x: number;
  readonly y: number;
  readonly label: number;
}

/** A point in a clip from which frames may be read again. */
export interface Position {
  readonly frame: number;
  readonly direction: Direction;
}

/** Prompted frames of an object, at most: each stays on the device. */
const MAX_CONDITIONING = 32;
/** Confirmed frames of an object, at most: as many conditioning frames as SAM 3 attends to. */
const MAX_CONFIRMED = 4;

/**
 * What one object remembers: the frames it was prompted on, the last few on which a detection confirmed
 * it, and as many of those it was tracked on as can still be read. So its size does not depend on the length of the clip.
 */
export class MemoryBank {
  private readonly conditioning = new Map<number, FrameMemory>();
  private readonly recent = new Map<number, FrameMemory>();
  /** Conditioning frames that nobody prompted, the one confirmed first ahead. */
  private readonly confirmed = new Set<number>();

  constructor(
    private readonly backend: Backend,
    private readonly options: RecallOptions,
  ) {}

  get(frame: number): FrameMemory | undefined {
    return this.conditioning.get(frame) ?? this.recent.get(frame);
  }

  /** What a prompt gave on this frame. */
  prompted(frame: number): FrameMemory | undefined {
    return this.confirmed.has(frame) ? undefined : this.conditioning.get(frame);
  }

  /**
   * Takes a prompted frame's tensors over; the frame's earlier ones are released, and so is all that was
   * confirmed: it may be what the prompt corrects.
   */
  addPrompted(memory: FrameMemory): void {
    for (const frame of [...this.confirmed]) this.forget(frame);
    this.replace(memory, this.conditioning);
    if (this.conditioning.size <= MAX_CONDITIONING) return;
    const frames = [...this.conditioning.keys()];
    const distance = (frame: number) => Math.abs(frame - memory.frame);
    this.forget(frames.reduce((a, b) => (distance(b) > distance(a) ? b : a)));
  }

  /**
   * Takes the tensors of a frame over on which a detection confirmed the object: a conditioning frame
   * until newer ones, or a prompt, take its place.
   */
  addConfirmed(memory: FrameMemory): void {
    this.replace(memory, this.conditioning);
    this.confirmed.add(memory.frame);
    const [oldest] = this.confirmed;
    if (this.confirmed.size > MAX_CONFIRMED) this.forget(oldest);
  }

  /**
   * Takes a tracked frame's tensors over; the frame's earlier ones are released.
   *
   * EdgeTAM's published click decoder gives no pointer, so a prompted frame takes that of the first
   * frame tracked after it, as the set's author does; SAM 2 would have the prompted frame's own.
   */
  addTracked(memory: FrameMemory): void {
    for (const one of this.conditioning.values()) {
      if (one.pointerFrom !== null) continue;
      this.backend.copy(memory.pointer, one.pointer);
      one.pointerFrom = memory.frame;
    }
    this.replace(memory, this.recent);
  }

  /**
   * What a frame remembers, itself left out.
   *
   * @returns null where no other frame was prompted.
   */
  recall(frame: number, direction: Direction): Recall | null {
    const conditioning = [...this.conditioning.keys()].filter((other) => other !== frame);
    if (conditioning.length === 0) return null;
    const recent = [...this.recent.values()].filter((one) => one.frame !== frame);
    const known = {
      conditioning,
      recent: new Map(recent.map((one) => [one.frame, one.effectiveIou])),
      released: new Set(recent.filter(({ memory }) => !memory).map((one) => one.frame)),
    };
    return recall(known, frame, direction, this.options);
  }

  /** Releases the tracked frames that are read from none of these positions. */
  trim(positions: readonly Position[]): void {
    const memories = new Set<number>();
    const pointers = new Set<number>(positions.map(({ frame }) => frame));
    for (const { frame, direction } of positions) {
      const read = this.recall(frame, direction);
      for (const one of read?.memories ?? []) memories.add(one.frame);
      for (const one of read?.pointers ?? []) pointers.add(one.frame);
    }
    for (const one of this.recent.values()) {
      if (!memories.has(one.frame) && !positions.some(({ frame }) => frame === one.frame)) {
        this.release(one.memory, one.logits);
        one.memory = null;
        one.logits = null;
        if (!pointers.has(one.frame)) this.forget(one.frame);
      }
    }
  }

  get bytes(): number {
    return [...this.conditioning.values(), ...this.recent.values()]
      .flatMap(({ pointer, memory, logits }) => [pointer, memory, logits])
      .reduce((sum, tensor) => sum + (tensor ? byteLength(tensor) : 0), 0);
  }

  clear(): void {
    for (const frame of [...this.conditioning.keys(), ...this.recent.keys()]) this.forget(frame);
  }

  private replace(memory: FrameMemory, into: Map<number, FrameMemory>): void {
    this.forget(memory.frame);
    into.set(memory.frame, memory);
  }

  private forget(frame: number): void {
    const known = this.get(frame);
    if (known) this.release(known.pointer, known.memory, known.logits);
    this.conditioning.delete(frame);
    this.confirmed.delete(frame);
    this.recent.delete(frame);
  }

  private release(...tensors: readonly (Tensor | null)[]): void {
    this.backend.release(...tensors.filter((tensor) => tensor !== null));
  }
}

export function byteLength({ dims, dtype }: Tensor): number {
  return elementCount(dims) * BYTES[dtype];
}
