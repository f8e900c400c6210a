import type { Licence, ModelFile, PoseEntry } from './entry.ts';
import { type FilePin, pinned } from './file_pin.ts';

/** Allows commercial use, with conditions; it goes with every copy by its address. */
const OPEN_MODEL: Licence = {
  spdx: 'LicenseRef-NVIDIA-Open-Model',
  nonCommercial: false,
  gated: false,
  conditions: true,
  url: 'https://www.nvidia.com/en-us/agreements/enterprise-software/nvidia-open-model-license/',
};

/** What NVIDIA's catalogue shows before the download. */
const ISAAC_MODEL: Licence = {
  spdx: 'LicenseRef-NVIDIA-Isaac-Model-EULA',
  nonCommercial: false,
  gated: false,
  conditions: true,
  url: 'https://catalog.ngc.nvidia.com/orgs/nvidia/teams/isaac/models/foundationpose',
};

const HUGGING_FACE =
  'https://huggingface.co/nvidia/foundationpose/resolve/18d8309afc9790cddc03a1d50bc69954dc058693';
const NGC = 'https://api.ngc.nvidia.com/v2/models/nvidia';

/** Rounded, in fp32, as the pages say. */
const REFINER: FilePin = { megabytes: 68.2 };
const SCORER: FilePin = { megabytes: 63.9 };

function fileAt(folder: string, path: string, pin: FilePin): ModelFile {
  return { url: `${folder}/${path}`, path, ...pinned(pin) };
}

const SHARED = { family: 'pose', precision: 'fp32' } as const;

/**
 * FoundationPose (Wen et al., CVPR 2024). The hash of a file is a public pin of that very address;
 * where none was found there is none. zz990099/foundationpose_cpp publishes its pair in a shared
 * folder without an address a file: `models add FOLDER` registers it.
 */
export const POSE_CATALOGUE: readonly PoseEntry[] = [
  {
    ...SHARED,
    id: 'foundationpose',
    title: 'FoundationPose, refiner and scorer',
    contract: 'hugging-face',
    files: [
      fileAt(HUGGING_FACE, 'refiner_net.onnx', REFINER),
      fileAt(HUGGING_FACE, 'score_net.onnx', SCORER),
    ],
    licence: OPEN_MODEL,
    notes: 'nvidia/foundationpose on Hugging Face; inputA and inputB, NCHW, free batch',
  },
  {
    ...SHARED,
    id: 'foundationpose-tao',
    title: 'FoundationPose, refiner and scorer, TAO deployable',
    contract: 'hugging-face',
    files: [
      fileAt(`${NGC}/tao/foundationpose/versions/deployable_v1.0/files`, 'refiner_net.onnx', {
        ...REFINER,
        sha256: '4a4445d2506b1bfc0a8d62fa80f8780a7e37bb0df13bb09aa5dd04a03bf0c954',
      }),
      fileAt(`${NGC}/tao/foundationpose/versions/deployable_v1.0/files`, 'score_net.onnx', {
        ...SCORER,
        sha256: 'bb7208919557560ecb0e10a30612821f0025a2578190b17677bdf3653514a48d',
      }),
    ],
    licence: OPEN_MODEL,
    notes: 'nvidia/tao/foundationpose deployable_v1.0 on NGC; inputA and inputB, NCHW, free batch',
  },
  {
    ...SHARED,
    id: 'foundationpose-isaac',
    title: 'FoundationPose, refiner and scorer, Isaac ROS',
    contract: 'ngc',
    files: [
      fileAt(`${NGC}/isaac/foundationpose/versions/1.0.1_onnx/files`, 'refine_model.onnx', REFINER),
      fileAt(`${NGC}/isaac/foundationpose/versions/1.0.1_onnx/files`, 'score_model.onnx', SCORER),
    ],
    licence: ISAAC_MODEL,
    notes: 'nvidia/isaac/foundationpose 1.0.1_onnx on NGC; input1 and input2, NHWC, free batch',
  },
];
