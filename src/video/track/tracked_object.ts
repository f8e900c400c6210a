import { FrameSpans } from './frame_spans.ts';
import { MemoryBank, type PromptPoint } from './memory_bank.ts';

/** One object of a clip: what it remembers, and where it was tracked. */
export interface ObjectState {
  readonly id: number;
  readonly bank: MemoryBank;
  /** Frames on which it was found without a prompt. A prompt there corrects what was found. */
  readonly tracked: FrameSpans;
}

export function newObject(
  id: number,
  ...bank: ConstructorParameters<typeof MemoryBank>
): ObjectState {
  return { id, bank: new MemoryBank(...bank), tracked: new FrameSpans() };
}

/** Clicks and a box on one object, normalised by the frame's width and height. */
export interface PointPrompt {
  /** [x, y] */
  readonly points: readonly (readonly [number, number])[];
  /** 1 inside the object, 0 outside; one a point. */
  readonly labels: readonly (0 | 1)[];
  /** [x0, y0, x1, y1] */
  readonly box: readonly [number, number, number, number] | null;
}

/** The prompt encoder was trained with few points; of more the first and the last half are taken. */
const MAX_POINTS = 16;

/**
 * A prompt in model pixels, each axis by its own factor, after the earlier points of the same frame: a
 * box replaces them (facebookresearch/sam3, `add_new_points_or_box`).
 *
 * @throws {RangeError} for a prompt without points or box, or with a label missing.
 */
export function promptPoints(
  { points, labels, box }: PointPrompt,
  earlier: readonly PromptPoint[],
  side: number,
): PromptPoint[] {
  if (points.length !== labels.length || (points.length === 0 && !box)) {
    throw new RangeError(
      `${points.length} points, ${labels.length} labels and ${box ? 'a' : 'no'} box; expected a label for each point, and at least a point or a box`,
    );
  }
  const corners = box ? [at(box[0], box[1], 2), at(box[2], box[3], 3)] : earlier;
  const all = [...corners, ...points.map(([x, y], i) => at(x, y, labels[i]))];
  const half = MAX_POINTS / 2;
  return all.length <= MAX_POINTS ? all : [...all.slice(0, half), ...all.slice(-half)];

  function at(x: number, y: number, label: number): PromptPoint {
    return { x: x * side, y: y * side, label };
  }
}
