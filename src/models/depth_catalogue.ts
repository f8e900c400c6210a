import { DATASET_MAX_DEPTH, type DepthDataset } from './contracts.ts';
import { APACHE, type DepthEncoder, type DepthEntry, type Licence } from './entry.ts';
import { type FilePin, pinned } from './file_pin.ts';

const NON_COMMERCIAL: Licence = {
  spdx: 'CC-BY-NC-4.0',
  nonCommercial: true,
  gated: false,
  url: 'https://creativecommons.org/licenses/by-nc/4.0/',
};

type PublishedEncoder = Exclude<DepthEncoder, 'mini'>;

const SIZES: Readonly<Record<PublishedEncoder, { name: string; licence: Licence }>> = {
  vits: { name: 'small', licence: APACHE },
  vitb: { name: 'base', licence: NON_COMMERCIAL },
  vitl: { name: 'large', licence: NON_COMMERCIAL },
};

/**
 * onnx-community on Hugging Face. The revision fixes the bytes where one is known. Sizes and hashes
 * are public pins of these very files; where none was found the size is the page's rounded one.
 */
const COMMUNITY: Readonly<
  Record<
    PublishedEncoder,
    { revision: string; files: Readonly<Record<CommunityPrecision, FilePin>> }
  >
> = {
  vits: {
    revision: '4472b7362082ad9968fee890ca0f1e5aca36b93d',
    files: {
      fp32: {
        bytes: 99_060_839,
        sha256: 'afb6a5c28f3b6bf1618c6e43f02073ef9dfdc70e937502d51603e57b0a1df10c',
      },
      fp16: {
        bytes: 49_642_442,
        sha256: '2df6223f206b5164e21f664ace61dabeb9bb6a49b8b5a3e00510b4807d0f5b04',
      },
      q4: {
        bytes: 27_404_416,
        sha256: '5d55b02762e1907589158af3e366bd61ddf648155852a07bbf5e3a074639fcf8',
      },
      q4f16: {
        bytes: 19_126_267,
        sha256: 'eca72971aea64216d767c70c534160de53b5435b588d362bac6dbd5a73f9bf1e',
      },
    },
  },
  vitb: {
    revision: 'main',
    files: {
      fp32: {
        bytes: 388_917_010,
        sha256: 'dab40f67d5ead5e0ed52acfae41a717a708b02bc57f6cb761c5de828f26a7289',
      },
      fp16: { megabytes: 195 },
      q4: { megabytes: 102 },
      q4f16: { megabytes: 72 },
    },
  },
  vitl: {
    revision: 'main',
    files: {
      fp32: { megabytes: 1340 },
      fp16: { megabytes: 669 },
      q4: { megabytes: 318 },
      q4f16: { megabytes: 235 },
    },
  },
};

function communityEntry(encoder: PublishedEncoder, precision: CommunityPrecision): DepthEntry {
  const { name, licence } = SIZES[encoder];
  const { revision, files } = COMMUNITY[encoder];
  const file = precision === 'fp32' ? 'model.onnx' : `model_${precision}.onnx`;
  const repository = `onnx-community/depth-anything-v2-${name}`;
  return {
    id: `depth-anything-v2-${name}${precision === 'fp32' ? '' : `-${precision}`}`,
    family: 'depth',
    title: `Depth Anything V2 ${name}, relative`,
    encoder,
    kind: 'relative',
    precision,
    files: [
      {
        url: `https://huggingface.co/${repository}/resolve/${revision}/onnx/${file}`,
        path: file,
        ...pinned(files[precision]),
      },
    ],
    licence,
    notes: `${repository}; pixel_values → predicted_depth, batch 1, free height and width`,
  };
}

const RELEASE = 'https://github.com/fabio-sim/Depth-Anything-ONNX/releases/download/v2.0.0';

/** One size per encoder: the three graphs of an encoder differ by a few bytes. */
const RELEASE_MEGABYTES: Readonly<Record<PublishedEncoder, number>> = {
  vits: 99,
  vitb: 389,
  vitl: 1337,
};

const RELEASE_PINS: Readonly<Record<string, FilePin>> = {
  depth_anything_v2_vits_dynamic: {
    bytes: 99_092_268,
    sha256: '46c4e8eeda3a27f34701831b6a2ec7753d7b38779b215acb5633424703deed8f',
  },
  depth_anything_v2_vits_indoor_dynamic: {
    sha256: '2e25a3f332b34d885a1b3059cab471f7916a36099325810821b2d6e0471f74ad',
  },
};

function releaseEntry(encoder: PublishedEncoder, dataset?: DepthDataset): DepthEntry {
  const { name, licence } = SIZES[encoder];
  const place = dataset && { hypersim: 'indoor', vkitti: 'outdoor' }[dataset];
  const stem = ['depth_anything_v2', encoder, place, 'dynamic'].filter(Boolean).join('_');
  return {
    id: place
      ? `depth-anything-v2-metric-${place}-${name}`
      : `depth-anything-v2-${name}-free-batch`,
    family: 'depth',
    title: `Depth Anything V2 ${name}, ${place ? `metric ${place}` : 'relative'}`,
    encoder,
    kind: dataset ? 'metric' : 'relative',
    ...(dataset && { dataset, maxDepth: DATASET_MAX_DEPTH[dataset] }),
    precision: 'fp32',
    files: [
      {
        url: `${RELEASE}/${stem}.onnx`,
        path: `${stem}.onnx`,
        ...pinned({ megabytes: RELEASE_MEGABYTES[encoder], ...RELEASE_PINS[stem] }),
      },
    ],
    licence,
    notes: 'fabio-sim/Depth-Anything-ONNX v2.0.0; image → depth, free batch, height and width',
  };
}

const EMBEDDED_DEPTH: DepthEntry = {
  id: 'depth-mini',
  family: 'depth',
  title: 'Embedded miniature depth model, metric and relative',
  encoder: 'mini',
  dataset: 'hypersim',
  kind: 'metric',
  maxDepth: DATASET_MAX_DEPTH.hypersim,
  alsoRelative: true,
  precision: 'fp32',
  files: [],
  licence: APACHE,
  notes:
    'part of the repository; trained on generated indoor scenes, stands in where nothing else is',
  embedded: ['models/embedded/depth-mini.onnx'],
};

const ENCODERS: readonly PublishedEncoder[] = ['vits', 'vitb', 'vitl'];
const PRECISIONS = ['fp32', 'fp16', 'q4', 'q4f16'] as const;
type CommunityPrecision = (typeof PRECISIONS)[number];

/** Depth Anything V2 and the embedded model. */
export const DEPTH_CATALOGUE: readonly DepthEntry[] = [
  EMBEDDED_DEPTH,
  ...ENCODERS.flatMap((encoder) =>
    PRECISIONS.map((precision) => communityEntry(encoder, precision)),
  ),
  ...ENCODERS.map((encoder) => releaseEntry(encoder)),
  ...ENCODERS.flatMap((encoder) =>
    (['hypersim', 'vkitti'] as const).map((dataset) => releaseEntry(encoder, dataset)),
  ),
];
