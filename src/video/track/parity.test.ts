/**
 * The tracker gives what transformers' `Sam3TrackerVideoModel` gives: a tiny randomly initialised
 * SAM 3 over a drawn clip, prompted and propagated in PyTorch by models/export/make_video_parity.py,
 * against our own bookkeeping over the exported graphs, on every backend.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices, isShortened } from '../../../test/devices.ts';
import type { Backend, Model } from '../../compute/backend.ts';
import { elementCount, type Tensor } from '../../compute/tensor.ts';
import { decodeRle } from '../../media/rle.ts';
import { maskFromCounts } from '../../media/rle_pixels.ts';
import { type ModelSource, OpenModels } from '../../models/open_models.ts';
import type { TrackedObject } from './answer.ts';
import {
  type Case,
  cases,
  clipFrames,
  clipSize,
  expectedLogits,
  expectedMask,
  frameOf,
  openTiny,
  type Step,
} from './parity_fixture.ts';
import { Tracker } from './tracker.ts';

// A software rasteriser compiles attention graphs in tens of seconds on a busy machine.
setDefaultTimeout(180_000);

const { model, remove } = await openTiny();
afterAll(remove);

/** Largest |a − b| / (|b| + 5 % of the largest |b|): the measure of models/export. */
function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const values = Array.from(expected);
  const floor = 0.05 * Math.max(...values.map(Math.abs));
  return Math.max(...values.map((b, i) => Math.abs(actual[i] - b) / (Math.abs(b) + floor)));
}

/** Largest |a − b| / largest |b|. */
function errorOfRange(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const values = Array.from(expected);
  const range = Math.max(...values.map(Math.abs));
  return Math.max(...values.map((b, i) => Math.abs(actual[i] - b))) / range;
}

function iou(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    both += Number(a[i] && b[i]);
    either += Number(a[i] || b[i]);
  }
  return either === 0 ? 1 : both / either;
}

/** The worst over a case. */
interface Agreement {
  iou: number;
  /** Largest error of a logit as a part of the largest one. */
  range: number;
  relative: number;
  score: number;
  /** Masks, of objects that are present. */
  compared: number;
}

class Replay {
  readonly worst: Agreement = { iou: 1, range: 0, relative: 0, score: 0, compared: 0 };
  last: readonly TrackedObject[] = [];
  private place: number;
  private readonly end: number;

  /** @param most results to stop after */
  constructor(
    private readonly tracker: Tracker,
    { first }: Case,
    most = Number.POSITIVE_INFINITY,
  ) {
    this.place = first;
    this.end = first + most;
  }

  get isOver(): boolean {
    return this.place >= this.end;
  }

  async run(step: Step): Promise<void> {
    const expected = [...step.results];
    if (step.op === 'track') {
      const direction = step.first <= step.last ? 1 : -1;
      for (let frame = step.first; (step.last - frame) * direction >= 0; frame += direction) {
        if (this.isOver) return;
        this.last = await this.tracker.step(frame, frameOf(frame), direction);
        for (const found of this.last) await this.compare(found, frame, expected.shift());
      }
    } else {
      const mask =
        step.op === 'mask' ? decodeRle(step.mask, clipSize.height, clipSize.width) : null;
      const prompt = mask
        ? { mask: { data: mask, ...clipSize } }
        : (step as Step & { op: 'prompt' });
      const isNew = !this.tracker.ids.includes(step.object);
      const id = isNew ? undefined : step.object;
      const found = await this.tracker.addPrompt(step.frame, frameOf(step.frame), prompt, id);
      await this.compare(found, step.frame, expected.shift());
    }
    expect(expected).toEqual([]);
  }

  private async compare(found: TrackedObject, frame: number, expected?: Step['results'][number]) {
    expect({ frame, object: found.id }).toEqual({
      frame: expected?.frame as number,
      object: expected?.object as number,
    });
    const place = this.place++;
    const { worst } = this;
    const score = expected?.score as number;
    worst.score = Math.max(worst.score, Math.abs(found.objectScore - score));
    // What follows from a score on the other side is no use comparing.
    if (found.present !== score > 0) Object.assign(worst, { iou: 0, range: 1 });
    if (!found.present || score <= 0) return;
    worst.compared++;
    const logits = (await this.tracker.logits(found.id, frame)) as Float32Array;
    const { values, places } = expectedLogits(place);
    const actual = places.map((at) => logits[at]);
    worst.range = Math.max(worst.range, errorOfRange(actual, values));
    worst.relative = Math.max(worst.relative, relativeError(actual, values));
    const mask = logits.map((logit) => Number(logit > 0));
    worst.iou = Math.min(worst.iou, iou(mask, expectedMask(place)));
  }
}

/** Graphs whose memory attention is fed with something else. */
class AlteredModels extends OpenModels {
  constructor(
    backend: Backend,
    private readonly inner: OpenModels,
    private readonly alter: (feeds: Feeds) => Feeds,
  ) {
    super(backend);
  }

  override async get(source: ModelSource): Promise<Model> {
    const graph = await this.inner.get(source);
    if (source !== model.memoryAttention) return graph;
    const run: Model['run'] = (feeds, wanted) => graph.run(this.alter(feeds), wanted);
    return Object.assign(Object.create(graph) as Model, { run });
  }

  override getForShapes(source: ModelSource): Promise<Model> {
    return this.get(source);
  }
}

type Feeds = Readonly<Record<string, Tensor>>;

/** Cases for slow devices, and how many results of them. */
const BRIEF = ['backward', 'mask'];
const MOST_BRIEF = 6;

const MEMORY = ['memory_features', 'object_pointers'] as const;

/** Nothing in the memories. */
function emptied(backend: Backend, feeds: Feeds) {
  const blank = ({ dims }: Tensor) =>
    backend.upload(new Float32Array(elementCount(dims)), dims) as Tensor;
  return { ...feeds, ...Object.fromEntries(MEMORY.map((name) => [name, blank(feeds[name])])) };
}

/** The memories of two objects in each other's place. */
function exchanged(backend: Backend, feeds: Feeds) {
  const swap = (source: Tensor) => {
    const target = backend.empty('float32', source.dims);
    const half = elementCount(source.dims) / 2;
    for (const [from, to] of [
      [0, half],
      [half, 0],
    ]) {
      backend.copy(source as Tensor<'float32'>, target, { from, to, count: half });
    }
    return target;
  };
  const isPair = feeds.memory_features.dims[0] === 2;
  if (!isPair) return feeds;
  return { ...feeds, ...Object.fromEntries(MEMORY.map((name) => [name, swap(feeds[name])])) };
}

describe.each(devices)('the tracker on %s', (_, backend) => {
  const models = new OpenModels(backend);

  // A frame takes seconds on a software rasteriser.
  const shortened = isShortened(backend);
  if (shortened)
    console.warn('SHORTENED: on a software adapter the clip is followed for few frames');
  const shown = shortened ? cases.filter(({ name }) => BRIEF.includes(name)) : cases;
  const most = shortened ? MOST_BRIEF : Number.POSITIVE_INFINITY;

  async function replay(one: Case, graphs: OpenModels = models): Promise<Replay> {
    const options = { frames: clipFrames, selectMemory: false };
    const tracker = new Tracker(backend, graphs, model, options);
    const played = new Replay(tracker, one, most);
    for (const step of one.steps) if (!played.isOver) await played.run(step);
    tracker.dispose();
    return played;
  }

  test.each(shown)('$name: masks and scores are those of transformers', async (one) => {
    const { worst, last } = await replay(one);
    expect(worst.compared).toBeGreaterThan(3);
    expect(worst.iou).toBeGreaterThanOrEqual(0.995);
    expect(worst.range).toBeLessThan(1e-2);
    expect(worst.score).toBeLessThan(1e-2);
    if (!one.rounded) {
      expect(worst.relative).toBeLessThan(backend.info.kind === 'cpu' ? 1e-3 : 3e-3);
      expect(worst.score).toBeLessThan(1e-3);
    }
    if (shortened) return;
    one.last_rle?.forEach((rle, i) => {
      const { height, width } = clipSize;
      const actual = maskFromCounts(last[i].counts, height, width);
      expect(iou(actual, decodeRle(rle, height, width))).toBeGreaterThanOrEqual(0.995);
    });
  });

  test.skipIf(shortened).each([
    ['nothing', emptied],
    ["another object's", exchanged],
  ] as const)('control: with %s in the memory the masks are others', async (_name, alter) => {
    const made: Tensor[] = [];
    const graphs = new AlteredModels(backend, models, (feeds) => {
      const altered = alter(backend, feeds);
      for (const name of MEMORY) if (altered[name] !== feeds[name]) made.push(altered[name]);
      return altered;
    });
    const one = cases.find(({ name }) => name === 'both') as Case;
    const { worst } = await replay(one, graphs);
    backend.release(...made);
    expect(made.length).toBeGreaterThan(0);
    expect(worst.iou).toBeLessThan(0.995);
    expect(worst.range).toBeGreaterThan(1e-2);
  });
});
