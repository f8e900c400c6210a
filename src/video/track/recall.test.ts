import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { FrameSpans } from './frame_spans.ts';
import { SAM_LIMITS } from './model.ts';
import { type Direction, effectiveIou, type KnownFrames, recall } from './recall.ts';

const plain = { ...SAM_LIMITS, selective: false };
const selective = { ...SAM_LIMITS, selective: true };

/** Frames 0 to 39: some prompted, others tracked, with their effective IoU. */
const histories = fc
  .array(
    fc.tuple(fc.constantFrom('prompted', 'tracked', 'unknown'), fc.constantFrom(0, 0.3, 0.9)),
    {
      minLength: 40,
      maxLength: 40,
    },
  )
  .map((frames): KnownFrames => {
    const kinds = [...frames.entries()];
    return {
      conditioning: kinds.filter(([, [kind]]) => kind === 'prompted').map(([frame]) => frame),
      recent: new Map(
        kinds.filter(([, [kind]]) => kind === 'tracked').map(([frame, [, iou]]) => [frame, iou]),
      ),
    };
  });

const directions = fc.constantFrom<Direction>(1, -1);
const frames = fc.integer({ min: 0, max: 39 });

/** By the definition: distance by distance, each frame looked up where it may be. */
function byDistance({ conditioning, recent }: KnownFrames, frame: number, direction: Direction) {
  const near = [...conditioning];
  let chosen = near;
  if (near.length > 4) {
    chosen = [];
    const before = near.filter((t) => t < frame).at(-1);
    const after = near.find((t) => t >= frame);
    for (const one of [before, after]) if (one !== undefined) chosen.push(one);
    while (chosen.length < 4) {
      const left = near.filter((t) => !chosen.includes(t));
      const distance = Math.min(...left.map((t) => Math.abs(t - frame)));
      chosen.push(left.find((t) => Math.abs(t - frame) === distance) as number);
    }
  }
  const memories = chosen.map((t) => `${t}@6`);
  for (let offset = 6; offset >= 1; offset--) {
    const t = frame - offset * direction;
    const isSpare = conditioning.includes(t) && !chosen.includes(t);
    if (recent.has(t) || isSpare) memories.push(`${t}@${offset - 1}`);
  }
  const pointers = conditioning
    .filter((t) => (direction === 1 ? t <= frame : t >= frame))
    .map((t) => `${t}@${Math.abs(frame - t)}`);
  for (let offset = 1; offset < 16; offset++) {
    const t = frame - offset * direction;
    if (recent.has(t)) pointers.push(`${t}@${offset}`);
  }
  return { memories: memories.sort(), pointers: pointers.sort() };
}

describe('recall', () => {
  test('is that of transformers, in any order', () => {
    fc.assert(
      fc.property(histories, frames, directions, (known, frame, direction) => {
        const { memories, pointers } = recall(known, frame, direction, plain);
        expect({
          memories: memories.map((one) => `${one.frame}@${one.row}`).sort(),
          pointers: pointers.map((one) => `${one.frame}@${one.distance}`).sort(),
        }).toEqual(byDistance(known, frame, direction));
      }),
    );
  });

  test('with selection passes over frames on which the object was not seen, but not the last', () => {
    const recent = new Map([1, 2, 3, 4, 5, 6, 7, 8, 9].map((frame) => [frame, 0.5]));
    for (const hidden of [5, 6, 7, 9]) recent.set(hidden, 0.005);
    const { memories, pointers } = recall({ conditioning: [0], recent }, 10, 1, selective);
    expect(memories).toEqual([
      { frame: 0, row: 6 },
      ...[9, 8, 4, 3, 2, 1].map((frame, row) => ({ frame, row })),
    ]);
    expect(pointers).toEqual([
      { frame: 0, distance: 10 },
      ...[9, 8, 4, 3, 2, 1].map((frame, i) => ({ frame, distance: i + 1 })),
    ]);
  });

  test('with selection and an object always seen is that without', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 39 }), (last) => {
        const tracked = Array.from({ length: last }, (_, i) => i + 1);
        const known = { conditioning: [0], recent: new Map(tracked.map((t) => [t, 0.9])) };
        expect(recall(known, last + 1, 1, selective)).toEqual(recall(known, last + 1, 1, plain));
      }),
    );
  });

  test('leaves out a memory that was released, but not its pointer', () => {
    const recent = new Map([1, 2, 3].map((frame) => [frame, 0.9]));
    const known = { conditioning: [0], recent, released: new Set([2]) };
    const { memories, pointers } = recall(known, 4, 1, plain);
    expect(memories.map(({ frame, row }) => [frame, row])).toEqual([
      [0, 6],
      [3, 0],
      [1, 2],
    ]);
    expect(pointers.map(({ frame }) => frame)).toEqual([0, 3, 2, 1]);
  });

  test('is bounded, and reads nothing that is not known', () => {
    fc.assert(
      fc.property(
        histories,
        frames,
        directions,
        fc.boolean(),
        (known, frame, direction, chosen) => {
          const options = chosen ? selective : plain;
          const { memories, pointers } = recall(known, frame, direction, options);
          expect(memories.length).toBeLessThanOrEqual(4 + 6);
          expect(pointers.length).toBeLessThanOrEqual(known.conditioning.length + 15);
          for (const one of [...memories, ...pointers]) {
            const isKnown = known.recent.has(one.frame) || known.conditioning.includes(one.frame);
            expect(isKnown).toBe(true);
          }
        },
      ),
    );
  });
});

test('the effective IoU is 0 for a hidden object, and rises with both scores', () => {
  expect(effectiveIou(0, 0.9)).toBe(0);
  expect(effectiveIou(-3, 0.9)).toBe(0);
  expect(effectiveIou(Math.log(3), 0.8)).toBeCloseTo(0.4, 12); // 2·¾ − 1 = ½
  expect(effectiveIou(40, 0.8)).toBeCloseTo(0.8, 12);
});

test('spans hold the numbers that were added, and no others', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30 })), (added) => {
      const spans = new FrameSpans();
      for (const frame of added) spans.add(frame);
      for (let frame = 0; frame <= 31; frame++) {
        expect(spans.has(frame)).toBe(added.includes(frame));
      }
    }),
  );
});
