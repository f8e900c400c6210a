import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { FrameIndex } from './video_index.ts';

const LIMITS = { maxPixels: 1, maxFrames: 1000, maxDurationSeconds: 1e6 };

interface Head {
  readonly timestamp: number;
  readonly duration: number;
  readonly type: 'key' | 'delta';
}

const indexOf = (packets: readonly Head[], limits = LIMITS) =>
  FrameIndex.from(
    (async function* () {
      yield* packets;
    })(),
    limits,
    'video',
  );

/** Groups of pictures: a key first, then the others of the group in any order of decoding. */
const groups = fc
  .array(
    fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 }).chain((lengths) =>
      fc.tuple(
        fc.constant(lengths),
        fc.shuffledSubarray(
          lengths.slice(1).map((_, i) => i + 1),
          { minLength: lengths.length - 1 },
        ),
      ),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((list) => {
    let time = 0;
    return list.flatMap(([lengths, order]) => {
      const frames = lengths.map((length) => {
        const frame = { timestamp: time / 1000, duration: length / 1000 };
        time += length;
        return frame;
      });
      return [0, ...order].map((at): Head => ({ ...frames[at], type: at === 0 ? 'key' : 'delta' }));
    });
  });

test('frames are numbered by time, and each time leads back', () =>
  fc.assert(
    fc.asyncProperty(groups, async (packets) => {
      const index = await indexOf(packets);
      const times = packets.map(({ timestamp }) => timestamp).toSorted((a, b) => a - b);
      expect(index.totalFrames).toBe(packets.length);
      for (const [packet, { timestamp }] of packets.entries()) {
        const frame = index.frameIn(packet);
        expect(times[frame]).toBe(timestamp);
        expect(index.packetOf(frame)).toBe(packet);
        expect(index.timestampOf(frame)).toBe(timestamp);
        expect(index.indexAt(timestamp)).toBe(frame);
        expect(index.indexAt(timestamp + 0.0005)).toBe(frame);
      }
      const last = Math.max(...packets.map(({ timestamp, duration }) => timestamp + duration));
      expect(index.durationSeconds).toBeCloseTo(last, 9);
    }),
  ));

test('decoding begins at the last key packet that is shown no later', () =>
  fc.assert(
    fc.asyncProperty(groups, async (packets) => {
      const index = await indexOf(packets);
      for (let frame = 0; frame < packets.length; frame++) {
        const expected = packets.findLastIndex(
          ({ type, timestamp }) => type === 'key' && timestamp <= index.timestampOf(frame),
        );
        expect(index.keyPacketFor(frame)).toBe(expected);
      }
    }),
  ));

test('packets that an edit list hides have no number', async () => {
  const packets = [-0.08, -0.04, 0, 0.04].map(
    (timestamp, i): Head => ({ timestamp, duration: 0.04, type: i === 0 ? 'key' : 'delta' }),
  );
  const index = await indexOf(packets);
  expect(index.totalFrames).toBe(2);
  expect([0, 1, 2, 3].map((packet) => index.frameIn(packet))).toEqual([-2, -1, 0, 1]);
  expect(index.keyPacketFor(0)).toBe(0);
});

test('a last frame of unknown length lasts as long as the others', async () => {
  const packets = [0, 0.04, 0.08].map(
    (timestamp): Head => ({ timestamp, duration: 0, type: 'key' }),
  );
  expect((await indexOf(packets)).durationSeconds).toBeCloseTo(0.12, 9);
});

test('no frames, no key, too many, too long', () => {
  const key: Head = { timestamp: 0, duration: 2, type: 'key' };
  expect(indexOf([])).rejects.toThrow('has no frames');
  expect(indexOf([{ ...key, timestamp: -4 }])).rejects.toThrow('has no frames');
  expect(indexOf([{ ...key, type: 'delta' }])).rejects.toThrow('no key frame');
  expect(indexOf([key, key], { ...LIMITS, maxFrames: 1 })).rejects.toThrow('more than 1 frames');
  expect(indexOf([key], { ...LIMITS, maxDurationSeconds: 1 })).rejects.toThrow('lasts 2.0 s');
});
