import {
  APACHE,
  type Licence,
  type ModelFile,
  type Precision,
  type SegmentEntry,
  type SegmentGeneration,
} from './entry.ts';
import { type FilePin, pinned } from './file_pin.ts';

/**
 * Meta's licence of SAM 3. Its weights may be used and changed freely but for military and similar
 * ends, and the licence must go with every copy: its text is one of the files.
 */
const SAM_LICENCE: Licence = {
  spdx: 'LicenseRef-SAM',
  nonCommercial: false,
  gated: false,
  conditions: true,
  url: 'https://github.com/facebookresearch/sam3/blob/main/LICENSE',
};

const SAM_LICENCE_TEXT: ModelFile = {
  url: 'https://github.com/facebookresearch/sam3/raw/7778a7aa0cd4b596b232b35490aa9b806dde8fde/LICENSE',
  path: 'LICENSE',
};

const RELEASE = 'https://github.com/jamjamjon/assets/releases/download/sam3';

/**
 * Sums: of fp32 and fp16 from the 848 million parameters, of the others as their users report them.
 */
const CONCEPT_MEGABYTES = { fp32: 3390, fp16: 1700, q8: 845, q4f16: 564, bnb4: 688 } as const;

function conceptEntry(precision: keyof typeof CONCEPT_MEGABYTES): SegmentEntry {
  const suffix = suffixed('', '-', precision);
  const graphs = ['vision-encoder', 'text-encoder', 'geo-encoder-mask-decoder'];
  const files = [...graphs.map((graph) => `${graph}${suffix}.onnx`), 'tokenizer.json'];
  return {
    id: `sam3-concept${suffix}`,
    family: 'segment',
    title: 'SAM 3, texts and exemplar boxes',
    contract: 'usls',
    generation: 'sam3',
    answers: ['concept'],
    precision,
    files: [...files.map((path) => ({ url: `${RELEASE}/${path}`, path })), SAM_LICENCE_TEXT],
    approximateBytes: CONCEPT_MEGABYTES[precision] * 1e6,
    licence: SAM_LICENCE,
    notes: 'jamjamjon/assets sam3 (usls v2); free batch, image 1008²',
  };
}

type TrackerPrecision = Extract<Precision, 'fp32' | 'fp16' | 'q4' | 'q4f16'>;

/** The encoder's graph and weights, then the decoder's. */
type TrackerPins = readonly [FilePin, FilePin, FilePin, FilePin];

interface TrackerRepository {
  readonly id: string;
  readonly title: string;
  readonly generation: SegmentGeneration;
  /** Of onnx-community on Hugging Face. */
  readonly repository: string;
  readonly revision: string;
  readonly licence: Licence;
  readonly imageSize: number;
  readonly precisions: Partial<Readonly<Record<TrackerPrecision, TrackerPins>>>;
}

/**
 * Two graphs, each with its weights beside it. Sizes and hashes are public pins of these very
 * revisions; where none was found the size of the weights is the page's rounded one.
 */
const TRACKERS: readonly TrackerRepository[] = [
  {
    id: 'sam3-tracker',
    title: 'SAM 3, clicks and boxes',
    generation: 'sam3',
    repository: 'onnx-community/sam3-tracker-ONNX',
    revision: '429305c8a5b3de597243d919a07e4e6bdcd00ef7',
    licence: SAM_LICENCE,
    imageSize: 1008,
    precisions: {
      fp32: [
        {
          bytes: 1_275_304,
          sha256: '9f284aab8c3d8e81e9c79f7b566f9cea43b7bc9afdd920eee2390fb65b3db897',
        },
        {
          bytes: 1_869_466_624,
          sha256: '838e1f0b2d0394ed3bd3b3499775dd6676524e1dfc5a7371948a76dcb69e4dd3',
        },
        {
          bytes: 213_114,
          sha256: '4f9ac85291d634ae36a21ce940e3c09671cc05b6511966e5d3d96988b12b95f8',
        },
        {
          bytes: 22_072_320,
          sha256: '2d870726d484cb496760fd139c21f115cf1b945c6b69583489faa2ac79f1d2ae',
        },
      ],
      fp16: [
        {
          sha256: 'f8c52be6de99124bb17f25792054406abc482ce3502166f948d5c5849cd14d02',
        },
        {
          megabytes: 935,
          sha256: '4b021a4d3068c9e9153f2f2fcc9e6d280156228671c00ab6c2ddfa737da7f151',
        },
        {},
        { megabytes: 11 },
      ],
      q4: [{}, { megabytes: 369 }, {}, { megabytes: 8.2 }],
      q4f16: [{}, { megabytes: 296 }, {}, { megabytes: 5.2 }],
    },
  },
  {
    id: 'edgetam',
    title: 'EdgeTAM, clicks and boxes',
    generation: 'edgetam',
    repository: 'onnx-community/EdgeTAM-ONNX',
    revision: '9c77c7bff7fd0f3079585fa17af7f730ddc531ed',
    licence: APACHE,
    imageSize: 1024,
    precisions: {
      fp32: [
        {
          bytes: 192_225,
          sha256: 'ed068218eba96760fe02d04ce899c449660ac813a088d80ed7f42c8bb01e7cec',
        },
        {
          bytes: 19_532_576,
          sha256: '21e75dba7077dfcb53e8c9a6e99977156f2240ff3f1f9cddc43d66aa1ecb528e',
        },
        {
          bytes: 213_114,
          sha256: 'd3668299ec3edf70fbb139ec642b54bf3d4be453fd1b688a6b5938e0856fe546',
        },
        {
          bytes: 20_958_208,
          sha256: 'dfa2125e30d08d388732f20c18fb63ab0f0f590cd270eb307f0c2b65919d1be8',
        },
      ],
      fp16: [
        {
          bytes: 167_617,
          sha256: 'd8f560849085892866a5c652a600cafbbd301e11c15ff0d89c81e15fe91264ac',
        },
        {
          bytes: 9_739_536,
          sha256: '6a6741eb00b3049939675569818b207953cb13113a80ca9580c9c714d8646b38',
        },
        {
          bytes: 229_799,
          sha256: 'f6c0e539017b05ff12cd5be869f2a125d946dee10f6e79b64a7466dfceafafb9',
        },
        {
          bytes: 10_454_016,
          sha256: 'bda4d98aef24b7589313f9771c8d2d6380716a256bf5c926326eaf5054097d5b',
        },
      ],
    },
  },
  {
    id: 'sam2.1-tiny',
    title: 'SAM 2.1 tiny, clicks and boxes',
    generation: 'sam2.1',
    repository: 'onnx-community/sam2.1-hiera-tiny-ONNX',
    revision: '814a066640debee5a91e70aa401fb8e17e030503',
    licence: APACHE,
    imageSize: 1024,
    precisions: {
      fp32: [
        {
          bytes: 354_238,
          sha256: '4f30aacd3aaefbca81a0b7fe4c1fc96345570ea0a6f80ced599493d1b3be2e8c',
        },
        {
          bytes: 134_084_864,
          sha256: 'e83df9866a5afe68ea7f0f721f18f65137fc3acbf0da1c74e946d363e09c69cc',
        },
        {
          bytes: 213_114,
          sha256: '874414704c5d686db7d206a35f6e15d26563d50c8c4468fccc6739bd7e491dcf',
        },
        {
          bytes: 20_958_208,
          sha256: 'e9874d900dd4134ed60eab1e97910327c2419e0b2954485d8fd6e7f1a1470f47',
        },
      ],
      fp16: [{}, { megabytes: 67 }, {}, { megabytes: 10.5 }],
      q4f16: [{}, { megabytes: 28.5 }, {}, { megabytes: 5.2 }],
    },
  },
];

function trackerEntries(source: TrackerRepository): SegmentEntry[] {
  const precisions = Object.entries(source.precisions) as [TrackerPrecision, TrackerPins][];
  return precisions.map(([precision, pins]) => ({
    id: source.id + suffixed('', '-', precision),
    family: 'segment',
    title: source.title,
    contract: 'transformers-tracker',
    generation: source.generation,
    answers: ['click'],
    precision,
    files: trackerFiles(source, precision, pins),
    approximateBytes: pins.reduce(
      (sum, { bytes, megabytes = 0 }) => sum + (bytes ?? megabytes * 1e6),
      0,
    ),
    licence: source.licence,
    notes: `${source.repository}; two graphs, image ${source.imageSize}²`,
  }));
}

const PROCESSOR = 'preprocessor_config.json';

const EDGETAM_RELEASE = 'https://github.com/twinkling-reality/rotyl/releases/download/edgetam-v1';

/** As the release's own manifest has them; the licence and its notice go with every copy. */
const EDGETAM_VIDEO_FILES: readonly (readonly [string, FilePin])[] = [
  [
    'memory_attention_shared_fp16.onnx',
    {
      bytes: 12_049_526,
      sha256: '60799c916c851b58927f6fa5e2ab3dd854b793f1e3347cd37d33439126102231',
    },
  ],
  [
    'memory_encoder.onnx',
    {
      bytes: 6_691_119,
      sha256: 'a3b5dadf998fa3a05a53ef206698f39b5ae892d61e68145dc981df7b3428df76',
    },
  ],
  [
    'tracked_mask_decoder_fp16.onnx',
    {
      bytes: 11_013_652,
      sha256: '9e5339147ba76978a1ad8a9ee026a36e94d55758386cdbe88db91d98c91d69c7',
    },
  ],
  [
    'parameters.json',
    {
      bytes: 26_913,
      sha256: 'b7861d11ba637998606b6ea462b01a5dcb92b098baa225970f5fb4499e8aed71',
    },
  ],
  [
    'LICENSE.txt',
    {
      bytes: 11_357,
      sha256: 'c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4',
    },
  ],
  [
    'NOTICE.txt',
    { bytes: 897, sha256: '3c53d2e75baf85351490163c8cb7682116f95cb96b840e85530f3c0541fdfffd' },
  ],
];

/** The two graphs of pictures in half precision, and those of video, which exist in one precision. */
function edgetamVideoEntry(pictures: SegmentEntry): SegmentEntry {
  const bytes = EDGETAM_VIDEO_FILES.reduce((sum, [, pin]) => sum + (pin.bytes ?? 0), 0);
  const files = EDGETAM_VIDEO_FILES.map(([name, pin]) => ({
    url: `${EDGETAM_RELEASE}/${name}`,
    path: name.endsWith('.txt') ? name : `onnx/${name}`,
    ...pinned(pin),
  }));
  return {
    ...pictures,
    id: 'edgetam-video',
    title: 'EdgeTAM, clicks and boxes, and video',
    files: [...pictures.files, ...files],
    approximateBytes: (pictures.approximateBytes ?? 0) + bytes,
    notes: `${pictures.notes}; video: twinkling-reality/rotyl edgetam-v1`,
  };
}

function trackerFiles(
  { repository, revision, licence }: TrackerRepository,
  precision: TrackerPrecision,
  pins: TrackerPins,
): ModelFile[] {
  const host = `https://huggingface.co/${repository}/resolve/${revision}`;
  const graphs = ['vision_encoder', 'prompt_encoder_mask_decoder']
    .map((stem) => `onnx/${suffixed(stem, '_', precision)}.onnx`)
    .flatMap((graph) => [graph, `${graph}_data`]);
  return [
    ...graphs.map((path, index) => ({ url: `${host}/${path}`, path, ...pinned(pins[index]) })),
    { url: `${host}/${PROCESSOR}`, path: PROCESSOR },
    ...(licence === SAM_LICENCE ? [SAM_LICENCE_TEXT] : []),
  ];
}

/** Full precision has no suffix in any of the published names. */
function suffixed(stem: string, separator: string, precision: Precision): string {
  return precision === 'fp32' ? stem : stem + separator + precision;
}

const MINI_FOLDER = 'models/embedded/segment-mini';

const EMBEDDED_SEGMENT: SegmentEntry = {
  id: 'segment-mini',
  family: 'segment',
  title: 'Embedded miniature segmentation model, texts, boxes and clicks',
  contract: 'single-backbone',
  generation: 'mini',
  answers: ['concept', 'click'],
  precision: 'fp32',
  files: [],
  licence: APACHE,
  notes: 'part of the repository; trained on generated scenes, stands in where nothing else is',
  embedded: [
    'vision-encoder.onnx',
    'text-encoder.onnx',
    'concept-decoder.onnx',
    'click-decoder.onnx',
    'memory-attention.onnx',
    'memory-encoder.onnx',
    'mask-prompt.onnx',
    'tokenizer.json',
  ].map((name) => `${MINI_FOLDER}/${name}`),
};

const TRACKER_ENTRIES = TRACKERS.flatMap(trackerEntries);

/** SAM 3 and its relatives, and the embedded model. */
export const SEGMENT_CATALOGUE: readonly SegmentEntry[] = [
  EMBEDDED_SEGMENT,
  ...(['fp32', 'fp16', 'q8', 'q4f16', 'bnb4'] as const).map(conceptEntry),
  ...TRACKER_ENTRIES,
  ...TRACKER_ENTRIES.filter(({ id }) => id === 'edgetam-fp16').map(edgetamVideoEntry),
];
