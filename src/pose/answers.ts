import { type Static, Type as t } from '@sinclair/typebox';
import { OneOf } from '../api/schema.ts';
import { EXAMPLE_SCENE } from './example_scene.ts';

const figures = {
  pose: t.Array(t.Array(t.Number()), {
    description:
      "4×4, row by row: the mesh's own coordinates (times mesh_scale) → camera, in metres; x right, y down, z ahead",
    examples: [EXAMPLE_SCENE.pose],
  }),
  score: t.Number({
    description: 'Higher is better, within one answer; not comparable between methods',
    examples: [0.87],
  }),
  inlier_fraction: t.Number({
    description: 'Share of the pixels with depth that agree with the mesh at this pose, in [0, 1]',
    examples: [0.93],
  }),
  residual: t.Number({
    description: 'Mean distance in depth of those that agree, metres',
    examples: [0.0016],
  }),
};

const Hypothesis = t.Object(figures);

const shared = {
  name: t.Union([t.String(), t.Null()], {
    description: 'As the request has it; null where it has none',
    examples: ['bracket'],
  }),
  ...figures,
  method: OneOf(['geometric', 'learned'], {
    description:
      'Which method gave the pose. geometric: by shape alone; it cannot tell poses apart that differ by texture, and is unsure of flat and nearly symmetric shapes',
    examples: ['geometric'],
  }),
  mesh_diameter: t.Number({
    description: 'The largest distance between two vertices of the mesh, metres',
    examples: [0.21],
  }),
  warnings: t.Array(t.String(), {
    description: 'What makes the pose unsure, in words',
    examples: [['inlier_fraction is 0.31: …']],
  }),
};

const PosedObject = t.Object({
  ...shared,
  hypotheses: t.Array(Hypothesis, {
    description: 'The best top_k distinct poses, the best first; the first is pose',
    examples: [
      [{ pose: EXAMPLE_SCENE.pose, score: 0.87, inlier_fraction: 0.93, residual: 0.0016 }],
    ],
  }),
  mask_source: OneOf(['mask', 'prompt'], {
    description: "Whether the mask was sent, or found by the object's prompt",
    examples: ['mask'],
  }),
  mask_score: t.Union([t.Number(), t.Null()], {
    description: 'Confidence of a mask that a prompt found, in [0, 1]; else null',
    examples: [0.92],
  }),
  mask_model: t.Union([t.String(), t.Null()], {
    description: 'The model that found the mask by a prompt; else null',
    examples: ['segment-mini'],
  }),
  mask_pixels: t.Integer({ description: 'Pixels inside the mask', examples: [2048] }),
});

const TrackedObject = t.Object(shared);

const facts = {
  model: t.Union([t.String(), t.Null()], {
    description: 'The learned model that answered; null: the geometric method, which has none',
    examples: ['foundationpose'],
  }),
  unit: OneOf(['metre'], { description: 'Of all lengths of this answer', examples: ['metre'] }),
  image_size: t.Object(
    {
      width: t.Integer({ description: 'Pixels', examples: [640] }),
      height: t.Integer({ description: 'Pixels', examples: [480] }),
    },
    { description: 'Of the frame', examples: [{ width: 640, height: 480 }] },
  ),
  elapsed_ms: t.Number({
    description:
      'Milliseconds from the request having been read to its poses; Server-Timing has the stages',
    examples: [842.1],
  }),
};

export const EstimateAnswer = t.Object({
  objects: t.Array(PosedObject, {
    description: 'One for each of the objects of the request, in their order',
    examples: [[{ name: 'bracket', pose: EXAMPLE_SCENE.pose, method: 'geometric' }]],
  }),
  ...facts,
});

export const TrackAnswer = t.Object({
  objects: t.Array(TrackedObject, {
    description: 'One for each of the objects of the request, in their order',
    examples: [[{ name: 'bracket', pose: EXAMPLE_SCENE.pose, method: 'geometric' }]],
  }),
  ...facts,
});

export type EstimateAnswer = Static<typeof EstimateAnswer>;
export type TrackAnswer = Static<typeof TrackAnswer>;
export type PoseFigures = Static<typeof Hypothesis>;
