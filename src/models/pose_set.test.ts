import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { licenceLine, needsAcceptance } from './licence.ts';
import { listModels, renderList } from './listing.ts';
import { addLocalModel } from './local_model.ts';
import { encodeOnnx, type FixtureModel } from './onnx_fixture.ts';
import { POSE_CATALOGUE } from './pose_catalogue.ts';
import { recognisePose } from './pose_contracts.ts';
import { CONTRACTS, type Graph, io, NCHW, PUBLISHED, writePair } from './pose_fixture.ts';
import { addLocalPose } from './pose_local.ts';
import { hasPoseGraphs, inspectPoseFolder } from './pose_set.ts';
import { removeModel } from './remove.ts';
import { type ModelStore, modelState, openStore } from './store.ts';
import { verifyModel } from './verify.ts';

let folder: string;
let store: ModelStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'triptych-pose-set-'));
  store = openStore({ root: join(folder, 'models'), repository: folder });
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** As onnx_header.ts has it. */
function header(graph: Graph) {
  const tensors = (all: FixtureModel['inputs']) =>
    all.map(({ name, dims = [], dtype = 1 }) => ({
      name,
      dims,
      dtype: dtype === 1 ? 'float32' : 'float16',
    }));
  const { inputs, outputs } = io(graph);
  return { inputs: tensors(inputs), outputs: tensors(outputs) };
}

describe('a graph', () => {
  test.each(CONTRACTS)('of %s is told by its names and shapes', (contract) => {
    const { refiner, scorer } = PUBLISHED[contract];
    const [rendered, observed] = refiner.inputs;
    const inputs = { rendered, observed, channelsFirst: contract === 'hugging-face' };
    const [translation, rotation] = Object.keys(refiner.outputs);
    expect(recognisePose(header(refiner))).toEqual({
      contract,
      tensors: { part: 'refiner', ...inputs, translation, rotation },
    });
    const [scores] = Object.keys(scorer.outputs);
    expect(recognisePose(header(scorer))).toEqual({
      contract,
      tensors: { part: 'scorer', ...inputs, scores },
    });
  });

  test('has the layout that its shape says, and its contract’s where the shape says nothing', () => {
    const layout = (graph: Graph) => {
      const found = recognisePose(header(graph));
      return found && 'tensors' in found ? found.tensors.channelsFirst : found;
    };
    const { refiner } = PUBLISHED.ngc;
    expect(layout({ ...refiner, dims: NCHW })).toBe(true);
    for (const dims of [undefined, ['n', 'h', 'w', 'c']]) {
      expect(layout({ ...refiner, dims })).toBe(false);
      expect(layout({ ...PUBLISHED['hugging-face'].refiner, dims })).toBe(true);
    }
  });

  test('called so with another shape, type or output is refused with the reason', () => {
    const { refiner } = PUBLISHED.cpp;
    const cases: [Graph, string][] = [
      [{ ...refiner, dims: ['n', 128, 128, 6] }, '[N,160,160,6]'],
      [{ ...refiner, dims: ['n', 6, 160] }, 'another shape'],
      [{ ...refiner, dims: [252, 160, 160, 6] }, 'takes 252 at a time'],
      [{ ...refiner, dtype: 10 }, 'float16, expected float32'],
      [{ ...refiner, outputs: { trans: ['n', 3] } }, 'expected are trans and rot'],
    ];
    for (const [graph, reason] of cases) {
      const found = recognisePose(header(graph));
      expect(found && 'problem' in found && found.problem).toContain(reason);
    }
    expect(recognisePose(header({ ...refiner, inputs: ['x', 'y'] }))).toBeNull();
  });
});

describe('a folder', () => {
  test('with a pair is registered, listed, verified and forgotten', async () => {
    const own = join(folder, 'My pose');
    await writePair(own, 'cpp', ['refiner_hwc.onnx', 'scorer_hwc.onnx']);
    expect(hasPoseGraphs(own)).toBe(true);
    const entry = await addLocalPose(store, own);
    expect(entry).toMatchObject({ id: 'local-my-pose', family: 'pose', contract: 'cpp' });
    const listed = listModels(store).find(({ id }) => id === entry.id);
    expect(listed).toMatchObject({ state: 'local', contract: 'cpp', family: 'pose' });
    expect(renderList([listed!])).toContain('local-my-pose');
    const verdict = await verifyModel(store, entry);
    expect(verdict.files.at(-1)?.detail).toBe('cpp pose, refiner and scorer');
    expect(verdict.ok).toBe(true);
    expect(await removeModel(store, entry)).toBe(true);
    expect(modelState(store, entry).state).toBe('absent');
  });

  test('without one, or with two, says what is there', async () => {
    const inspect = (place: string) => () => inspectPoseFolder(place, 'cpu');
    expect(inspect(join(folder, 'nowhere'))).toThrow('is no folder');
    expect(inspect(folder)).toThrow('no graph with the inputs input1 and input2 (ngc)');
    expect(hasPoseGraphs(folder)).toBe(false);
    await writePair(folder, 'ngc');
    await rm(join(folder, 'b.onnx'));
    expect(inspect(folder)).toThrow('a.onnx: ngc refiner');
    await writeFile(
      join(folder, 'b.onnx'),
      encodeOnnx(io({ ...PUBLISHED.ngc.scorer, dims: [1, 160, 160, 6] })),
    );
    expect(inspect(folder)).toThrow('takes 1 at a time');
    await writePair(folder, 'ngc');
    await writePair(join(folder, 'onnx'), 'cpp');
    expect(inspect(folder)).toThrow('holds ngc and cpp; one pose model is expected');
  });

  test('is what to add, where one of its files is given', async () => {
    await writePair(folder, 'hugging-face');
    await expect(addLocalModel(store, join(folder, 'a.onnx'))).rejects.toThrow(
      `add their folder, ${folder}`,
    );
  });
});

describe('every published pair', () => {
  test('has two files, from NVIDIA, under a licence with conditions', () => {
    expect(POSE_CATALOGUE.map(({ contract }) => contract)).toEqual(
      expect.arrayContaining(['ngc', 'hugging-face']),
    );
    for (const entry of POSE_CATALOGUE) {
      expect(entry.files).toHaveLength(2);
      expect(needsAcceptance(entry)).toBe(true);
      expect(licenceLine(entry)).toContain('LicenseRef-NVIDIA');
      for (const { url } of entry.files) {
        expect(url).toMatch(
          /^https:\/\/(huggingface\.co|api\.ngc\.nvidia\.com\/v2\/models)\/nvidia\//,
        );
      }
    }
  });
});
