/** test/fixtures/pose-learned: small graphs in the published contracts, a scene, and what the loop gives. */
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { Mesh } from '../../media/mesh/mesh.ts';
import type { LearnedPoseModel, PoseContract } from '../../models/pose_contracts.ts';
import { addLocalPose } from '../../models/pose_local.ts';
import { openStore } from '../../models/store.ts';
import type { RgbdFrame } from '../method.ts';
import { PoseModels } from '../models.ts';

interface Packed {
  readonly shape: readonly number[];
  readonly type: 'float32' | 'uint8' | 'uint16' | 'uint32';
  readonly data: string;
}

interface Expected {
  readonly iterations: number;
  /** [N, 3, 4], of the centred mesh. */
  readonly refined: Packed;
  readonly scores: Packed;
}

interface Manifest {
  readonly camera: RgbdFrame['intrinsics'];
  readonly width: number;
  readonly height: number;
  readonly depth_unit: number;
  readonly rgb: Packed;
  readonly depth: Packed;
  readonly mask: Packed;
  readonly mesh: {
    readonly positions: Packed;
    readonly indices: Packed;
    readonly colors: Packed;
    readonly center: readonly [number, number, number];
    readonly diameter: number;
  };
  /** Of the mesh's own coordinates. */
  readonly true_pose: readonly (readonly number[])[];
  readonly translation: readonly number[];
  /** [252, 3, 3], in the order of `all`. */
  readonly rotations: Packed;
  /** `sure`: uint8 [252], 1 where float32 cannot round the edges of the scorer's crop otherwise. */
  readonly all: Expected & { readonly sure: Packed };
  readonly few: Expected & { readonly members: readonly number[] };
}

const FOLDER = join(import.meta.dir, '../../../test/fixtures/pose-learned');

export const fixture: Manifest = await Bun.file(join(FOLDER, 'manifest.json')).json();

const ARRAYS = {
  float32: Float32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
};

export function unpack({ data, type }: Packed) {
  const bytes = Uint8Array.from(inflateSync(Uint8Array.fromBase64(data)));
  return new ARRAYS[type](bytes.buffer);
}

const rotations = unpack(fixture.rotations) as Float32Array;

/** The reference's hypothesis of a number: [3, 3], row-major. */
export function referenceRotation(index: number): Float64Array {
  return Float64Array.from(rotations.subarray(index * 9, index * 9 + 9));
}

export const frame: RgbdFrame = {
  width: fixture.width,
  height: fixture.height,
  rgb: unpack(fixture.rgb) as Uint8Array,
  depth: Float32Array.from(unpack(fixture.depth), (units) => units * fixture.depth_unit),
  intrinsics: fixture.camera,
};

export const mask = unpack(fixture.mask) as Uint8Array;

export const mesh: Mesh = {
  positions: unpack(fixture.mesh.positions) as Float32Array<ArrayBuffer>,
  indices: unpack(fixture.mesh.indices) as Uint32Array<ArrayBuffer>,
  colors: unpack(fixture.mesh.colors) as Uint8Array<ArrayBuffer>,
  uvs: null,
  texture: null,
  center: fixture.mesh.center,
  diameter: fixture.mesh.diameter,
  extents: [0.2, 0.14, 0.11],
};

/** float32 [4, 4], row-major: the mesh's own coordinates → camera. */
export const truePose = Float32Array.from(fixture.true_pose.flat());

/** Refiner and scorer as they are published, by contract. */
const PUBLISHED: Readonly<Record<PoseContract, readonly [refiner: string, scorer: string]>> = {
  ngc: ['refine_model.onnx', 'score_model.onnx'],
  'hugging-face': ['refiner_net.onnx', 'score_net.onnx'],
  cpp: ['refiner_hwc.onnx', 'scorer_hwc.onnx'],
};

/** A model folder of the user's, registered and found again, as a server finds it. */
export async function installed(
  contract: PoseContract,
  refiner: string = PUBLISHED[contract][0],
): Promise<LearnedPoseModel> {
  const folder = mkdtempSync(join(tmpdir(), 'triptych-pose-'));
  const [first, second] = PUBLISHED[contract];
  copyFileSync(join(FOLDER, refiner), join(folder, first));
  copyFileSync(join(FOLDER, second), join(folder, second));
  const store = openStore({ root: join(folder, 'models'), catalogue: [] });
  await addLocalPose(store, folder);
  const model = new PoseModels(store).find('cpu');
  if (model) return model;
  throw new Error(`${folder} was registered and not found again`);
}
