import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { type PropagationQuery, planFrames } from './frame_plan.ts';

const TOTAL = 30;

function indices(query: Omit<PropagationQuery, 'trackNew' | 'settle'>): number[] {
  return planFrames({ ...query, trackNew: false, settle: false }, TOTAL).flatMap(
    ({ start, direction, count }) => Array.from({ length: count }, (_, i) => start + i * direction),
  );
}

test('frames are in the video, each once, the start first, at most N in each direction', () => {
  const query = fc.record({
    direction: fc.constantFrom('forward' as const, 'backward' as const, 'both' as const),
    start: fc.integer({ min: 0, max: TOTAL - 1 }),
    maxFrames: fc.option(fc.integer({ min: 1, max: 2 * TOTAL })),
  });
  fc.assert(
    fc.property(query, ({ direction, start, maxFrames }) => {
      const frames = indices({ direction, start, maxFrames });
      const most = maxFrames ?? TOTAL;
      const ahead = frames.filter((frame) => frame >= start);
      const behind = frames.filter((frame) => frame <= start);
      expect(new Set(frames).size).toBe(frames.length);
      expect(frames[0]).toBe(start);
      expect(frames.every((frame) => frame >= 0 && frame < TOTAL)).toBe(true);
      const isAhead = direction !== 'backward';
      const isBehind = direction !== 'forward';
      expect(ahead.length).toBe(isAhead ? Math.min(most, TOTAL - start) : 1);
      expect(behind.length).toBe(isBehind ? Math.min(most, start + 1) : 1);
    }),
  );
});
