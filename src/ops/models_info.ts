import { type Static, Type as t } from '@sinclair/typebox';
import { Elysia } from 'elysia';
import type { Authentication } from '../api/auth.ts';
import { documentation, OneOf } from '../api/schema.ts';
import type { EnginePool } from '../engine/pool.ts';
import { ModelError } from '../models/errors.ts';
import type { SegmentModel, SegmentNeed } from '../models/segment_contracts.ts';
import { installedModels, type ModelStore } from '../models/store.ts';
import { type InstalledSegmentModel, preferredDevice, type SegmentModels } from '../sam/models.ts';

/** Of the graph contracts in models/export/SAM3.md. */
const SAM3_VERSION = '1.0.0';

const MEBI = 2 ** 20;

const answering = (prompts: string) =>
  t.Union([t.String(), t.Null()], {
    description: `The model that answers ${prompts} where a request names none; null: none is installed, or with --strict-models not SAM 3`,
    examples: ['segment-mini'],
  });

const ImageModel = t.Object(
  {
    loaded: t.Boolean({
      description:
        'Whether the model is installed and an engine can run it; its graphs are opened by the first request',
      examples: [true],
    }),
    checkpoint: t.Union([t.String(), t.Null()], {
      description: 'File of its image encoder; null without a model',
      examples: ['models/embedded/segment-mini/vision-encoder.onnx'],
    }),
    device: t.String({
      description: 'What it runs on: webgpu or cpu, and its name',
      examples: ['cpu (AMD EPYC)'],
    }),
    memory_mb: t.Number({
      description:
        'MiB in use: the weights of segmentation models that are open, and all tensors that the engines hold, cached features among them',
      examples: [120.5],
    }),
    capabilities: t.Array(t.String(), {
      description:
        'What it takes: text_prompt, box_prompt, point_prompt; several prompts at once (batch_processing); video (video_tracking); and whether features are kept (feature_caching)',
      examples: [['text_prompt', 'box_prompt', 'point_prompt', 'batch_processing']],
    }),
    concept_model: answering('texts and exemplar boxes'),
    click_model: answering('points, and boxes in mode "instance"'),
    video_model: t.Union([t.String(), t.Null()], {
      description: 'The model that follows objects through video; null: none is installed',
      examples: ['segment-mini'],
    }),
  },
  {
    description: 'What answers segmentation requests',
    examples: [
      {
        loaded: true,
        checkpoint: 'models/embedded/segment-mini/vision-encoder.onnx',
        device: 'cpu (AMD EPYC)',
        memory_mb: 120.5,
        capabilities: ['text_prompt', 'box_prompt', 'point_prompt', 'batch_processing'],
        concept_model: 'segment-mini',
        click_model: 'segment-mini',
        video_model: 'segment-mini',
      },
    ],
  },
);

const PoseModel = t.Object(
  {
    methods: t.Array(OneOf(['geometric', 'learned'], { description: 'A method' }), {
      description: 'What /api/v1/pose/estimate can answer by; the geometric method needs no model',
      examples: [['geometric']],
    }),
    default_method: OneOf(['geometric', 'learned'], {
      description: 'What answers a request that names none',
      examples: ['geometric'],
    }),
    model: t.Union([t.String(), t.Null()], {
      description: 'The model of the learned method; null: none is installed',
      examples: ['foundationpose'],
    }),
  },
  {
    description: 'What answers requests for object poses',
    examples: [{ methods: ['geometric'], default_method: 'geometric', model: null }],
  },
);

const Installed = t.Object({
  id: t.String({ description: 'As requests name it', examples: ['segment-mini'] }),
  title: t.String({ description: 'What it is', examples: ['Segmentation, embedded'] }),
  origin: OneOf(['catalogue', 'embedded', 'local'], {
    description: 'catalogue: pulled or imported; embedded: part of the server; local: registered',
    examples: ['embedded'],
  }),
  precision: t.String({ description: 'Of its weights', examples: ['fp32'] }),
  licence: t.String({ description: 'SPDX identifier', examples: ['Apache-2.0'] }),
});

const ModelsInfo = t.Object({
  image_model: ImageModel,
  pose_model: PoseModel,
  models: t.Record(t.String(), t.Array(Installed), {
    description: 'Installed models by family: depth, segment, pose',
    examples: [{ segment: [{ id: 'segment-mini', origin: 'embedded' }] }],
  }),
  server_version: t.String({ description: 'Of this server', examples: ['0.1.0'] }),
  sam3_version: t.String({
    description: 'Of the graph contracts of SAM 3 that this server runs',
    examples: [SAM3_VERSION],
  }),
});

interface ModelsInfoParts {
  readonly pool: EnginePool;
  readonly store: ModelStore;
  readonly models: SegmentModels;
  readonly poseModels: { find(device: 'webgpu' | 'cpu'): { readonly name: string } | null };
  readonly cachesFeatures: boolean;
  readonly version: string;
  readonly keys: Authentication;
}

/** `GET /models/info`. */
export function modelsInfo(parts: ModelsInfoParts) {
  return new Elysia({ name: 'models-info', tags: ['health'] }).use(parts.keys).get(
    '/models/info',
    (): Static<typeof ModelsInfo> => ({
      image_model: describeImageModel(parts),
      pose_model: describePoseModel(parts),
      models: installedByFamily(parts.store),
      server_version: parts.version,
      sam3_version: SAM3_VERSION,
    }),
    {
      detail: documentation({
        summary: 'Models',
        description:
          'What answers segmentation and pose requests, and all installed models. Names files of the server, so it needs a key where there are keys.',
        answer: ModelsInfo,
        errors: { 401: 'A key is required, or the key is wrong' },
      }),
    },
  );
}

function describeImageModel({ pool, models, cachesFeatures }: ModelsInfoParts) {
  const { device } = pool;
  const installed = models.installed(preferredDevice(pool));
  const [concept, click] = [
    answeringModel('concept', models, pool),
    answeringModel('click', models, pool),
  ];
  const video = installed.find(({ follows }) => follows);
  const isUsable = concept !== undefined || click !== undefined;
  const capabilities = [
    concept && ['text_prompt', 'box_prompt'],
    click && ['box_prompt', 'point_prompt'],
    isUsable && ['batch_processing'],
    video && ['video_tracking'],
    isUsable && cachesFeatures && ['feature_caching'],
  ];
  return {
    loaded: isUsable && pool.healthy,
    checkpoint: (concept ?? click)?.encoder.file ?? null,
    device: device ? `${device.kind} (${device.name})` : 'starting',
    memory_mb: Math.round((10 * bytesInUse(installed, pool)) / MEBI) / 10,
    capabilities: [...new Set(capabilities.flatMap((names) => names || []))],
    concept_model: concept?.name ?? null,
    click_model: click?.name ?? null,
    video_model: video?.name ?? null,
  };
}

function describePoseModel({ pool, poseModels }: ModelsInfoParts): Static<typeof PoseModel> {
  const model = poseModels.find(preferredDevice(pool))?.name ?? null;
  if (model === null) return { methods: ['geometric'], default_method: 'geometric', model };
  return { methods: ['geometric', 'learned'], default_method: 'learned', model };
}

/** The one that a request gets which names none; strict mode takes no stand-in. */
function answeringModel(
  need: SegmentNeed,
  models: SegmentModels,
  pool: EnginePool,
): SegmentModel | undefined {
  try {
    return models.find({ need }, preferredDevice(pool)).model;
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

function bytesInUse(installed: readonly InstalledSegmentModel[], pool: EnginePool): number {
  const bytesOf = new Map(installed.map(({ name, bytes }) => [name, bytes]));
  return pool.statuses().reduce((sum, status) => {
    if (!status) return sum;
    const { usedBytes, pooledBytes } = status.memory;
    const open = status.modelsLoaded.map((name) => bytesOf.get(name) ?? 0);
    return open.reduce((total, bytes) => total + bytes, sum + usedBytes + pooledBytes);
  }, 0);
}

function installedByFamily(store: ModelStore): Record<string, Static<typeof Installed>[]> {
  const found: Record<string, Static<typeof Installed>[]> = {};
  for (const { entry, origin } of installedModels(store)) {
    const { id, family, title, precision, licence } = entry;
    found[family] ??= [];
    found[family].push({ id, title, precision, origin, licence: licence.spdx });
  }
  return found;
}
