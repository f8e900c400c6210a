import { describe, expect, test } from 'bun:test';
import { countsFromMask } from '../../media/rle_pixels.ts';
import type { TrackedObject } from './answer.ts';
import { associate } from './associate.ts';
import type { FoundInstance } from './join_detections.ts';
import { bitsFromCounts } from './mask_overlap.ts';
import { TextTracks, UPKEEP, type Verdict } from './text_tracks.ts';

const [WIDTH, HEIGHT] = [60, 20];
const TEXT = 3;

/** A square of 10 pixels a side. */
function square(left: number): Uint32Array<ArrayBuffer> {
  const inside = (x: number, y: number) => x >= left && x < left + 10 && y >= 5 && y < 15;
  const mask = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) =>
    Number(inside(i % WIDTH, Math.floor(i / WIDTH))),
  );
  return countsFromMask(mask, HEIGHT, WIDTH);
}

const NOWHERE = Uint32Array.of(WIDTH * HEIGHT);
const BOX = { x: 0, y: 0, width: 0, height: 0 };

/** @param left null for an object that is out of sight */
function tracked(id: number, left: number | null, objectScore = 5): TrackedObject {
  const counts = left === null ? NOWHERE : square(left);
  const area = left === null ? 0 : 100;
  return { id, present: left !== null, score: 0.9, objectScore, counts, area, box: BOX };
}

const detected = (left: number, score = 0.9): FoundInstance => ({
  prompt: TEXT,
  score,
  counts: square(left),
});

/** Looks at a frame as a session does. */
function look(
  tracks: TextTracks,
  frame: number,
  objects: readonly TrackedObject[],
  found: readonly FoundInstance[],
  texts: ReadonlyMap<number, number> = new Map(objects.map(({ id }) => [id, TEXT])),
): Verdict {
  const association = associate(
    found.map(({ prompt, score, counts }) => ({ prompt, score, mask: bitsFromCounts(counts) })),
    objects.map(({ id, counts }) => ({
      id,
      mask: bitsFromCounts(counts),
      prompt: texts.get(id) ?? null,
    })),
  );
  return tracks.review({ frame, direction: 1, tracked: objects, found, association, texts });
}

describe('what the detector confirms', () => {
  const every = UPKEEP.reconditionEvery;
  const sure = (frame: number, object: TrackedObject, found: FoundInstance, texts = [[1, TEXT]]) =>
    look(new TextTracks(), frame, [object], [found], new Map(texts as [number, number][])).sure;

  test('is reconditioned on every sixteenth frame, where all is sure', () => {
    expect(sure(every, tracked(1, 10), detected(10))).toEqual([1]);
    expect(sure(every + 1, tracked(1, 10), detected(10))).toEqual([]);
  });

  test('is not where the detection, the object or their overlap is weak', () => {
    expect(sure(every, tracked(1, 10), detected(10, 0.79))).toEqual([]);
    // sigmoid(1.3) is 0.786.
    expect(sure(every, tracked(1, 10, 1.3), detected(10))).toEqual([]);
    expect(sure(every, tracked(1, 10), detected(12))).toEqual([]);
  });

  test('is not what is hidden or fails on that frame', () => {
    const hiding = new TextTracks();
    look(hiding, every - 2, [tracked(1, null), tracked(2, 30)], []);
    look(hiding, every - 1, [tracked(1, 10), tracked(2, null)], []);
    // The detection is that of object 2, which jumped onto object 1.
    const pair = [tracked(1, 12), tracked(2, 11)];
    expect(look(hiding, every, pair, [detected(11)])).toMatchObject({ hidden: [2], sure: [] });
    const failing = new TextTracks();
    failing.born([2]);
    for (let frame = every - 7; frame < every; frame++) look(failing, frame, pair, []);
    expect(look(failing, every, pair, [detected(11)])).toMatchObject({ failed: [2], sure: [] });
  });

  test('is no object that was clicked', () => {
    expect(sure(every, tracked(1, 10), detected(10), [])).toEqual([]);
  });
});

describe('the trial of a new object', () => {
  test('fails without detections on eight of its first fifteen frames', () => {
    const tracks = new TextTracks();
    tracks.born([1]);
    for (let frame = 101; frame < 108; frame++) {
      expect(look(tracks, frame, [tracked(1, 10)], []).failed).toEqual([]);
    }
    expect(look(tracks, 108, [tracked(1, 10)], [detected(10)]).failed).toEqual([]);
    expect(look(tracks, 109, [tracked(1, 10)], []).failed).toEqual([1]);
  });

  test('is passed in time, and not taken again', () => {
    const tracks = new TextTracks();
    tracks.born([1]);
    for (let frame = 101; frame <= 115; frame++) {
      expect(look(tracks, frame, [tracked(1, 10)], [detected(10)]).failed).toEqual([]);
    }
    for (let frame = 101; frame <= 115; frame++) {
      expect(look(tracks, frame, [tracked(1, 10)], []).failed).toEqual([]);
    }
  });

  test('goes by the frames it was followed through, whichever they are', () => {
    const tracks = new TextTracks();
    tracks.born([1]);
    // Back and forth near where it was found, and then far away.
    for (let i = 0; i < 14; i++) {
      const found = i < 7 ? [] : [detected(10)];
      expect(look(tracks, 100 + (i % 2), [tracked(1, 10)], found).failed).toEqual([]);
    }
    for (const frame of [101, 100, 101]) {
      expect(look(tracks, frame, [tracked(1, 10)], []).failed).toEqual([]);
    }
  });

  test('does not outlive the propagation that began it', () => {
    const tracks = new TextTracks();
    tracks.born([1]);
    for (let frame = 1; frame <= 7; frame++) look(tracks, frame, [tracked(1, 10)], []);
    tracks.endTrials();
    for (let frame = 8; frame <= 15; frame++) {
      expect(look(tracks, frame, [tracked(1, 10)], []).failed).toEqual([]);
    }
  });

  test('does not count frames on which it is out of sight', () => {
    const tracks = new TextTracks();
    tracks.born([1]);
    for (let frame = 101; frame < 115; frame++) {
      expect(look(tracks, frame, [tracked(1, null)], []).failed).toEqual([]);
    }
  });

  test('fails on the place of an earlier object, which stays', () => {
    const tracks = new TextTracks();
    tracks.born([1, 2]);
    const pair = [tracked(1, 10), tracked(2, 11)];
    for (let frame = 1; frame < 8; frame++) {
      expect(look(tracks, frame, pair, [detected(10)]).failed).toEqual([]);
    }
    expect(look(tracks, 8, pair, [detected(10)]).failed).toEqual([2]);
  });

  test('is only for those that came while propagating', () => {
    const tracks = new TextTracks();
    for (let frame = 1; frame < 15; frame++) {
      expect(look(tracks, frame, [tracked(1, 10)], []).failed).toEqual([]);
    }
  });
});

describe('of two objects in one place', () => {
  const away = (tracks: TextTracks) => {
    look(tracks, 1, [tracked(1, null), tracked(2, 30)], []);
    look(tracks, 2, [tracked(1, 10), tracked(2, null)], []);
    expect(look(tracks, 3, [tracked(1, 10), tracked(2, 30)], []).hidden).toEqual([]);
  };
  const together = [tracked(1, 10), tracked(2, 10)];

  test('the one that was away later is not shown, on trial or not', () => {
    const [prompted, born] = [new TextTracks(), new TextTracks()];
    born.born([1, 2]);
    for (const tracks of [prompted, born]) {
      away(tracks);
      tracks.endTrials();
      expect(look(tracks, 4, together, []).hidden).toEqual([2]);
    }
  });

  test('both are shown where nothing is known of when they were away', () => {
    const [forgetful, reset] = [new TextTracks(), new TextTracks()];
    for (const tracks of [forgetful, reset]) away(tracks);
    forgetful.forget(2);
    reset.reset();
    for (const tracks of [forgetful, reset]) {
      expect(look(tracks, 4, together, []).hidden).toEqual([]);
    }
  });
});
