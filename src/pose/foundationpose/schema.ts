import { type Static, Type as t } from '@sinclair/typebox';
import { OneOf } from '../../api/schema.ts';
import { EXAMPLE_SCENE } from '../example_scene.ts';

/** Frames in one request: the first is registered, the others tracked. */
const MAX_IMAGES = 64;

/** Of a camera matrix, rows and columns: a wrong one's size is told, and no more is looked at. */
const MAX_CAMERA_SIDE = 16;

const base64 = (description: string, example: string) =>
  t.String({
    minLength: 1,
    description: `${description}. Base64, or a data URL`,
    examples: [example],
  });

const scale = (value: number, description: string) =>
  t.Optional(
    t.Number({ exclusiveMinimum: 0, maximum: 1e9, default: value, description, examples: [value] }),
  );

const { camera_matrix, image, depth, mask, mesh, pose } = EXAMPLE_SCENE;

const Frame = t.Object({
  filename: t.String({
    minLength: 1,
    description:
      'What the frame is called in the files below DIR: letters, digits, blanks and _ . - and the like, at most 100; no folder, no ".."',
    examples: ['frame_000'],
  }),
  rgb: base64('The colour picture: PNG, or another format', image),
  depth: base64(
    'The depth along the optical axis, a 16-bit grey PNG of the same size: millimetres, unless depthscale says otherwise; 0 where there is none',
    depth,
  ),
});

const example = {
  camera_matrix,
  images: [{ filename: 'frame_000', rgb: image, depth }],
  mask,
  mesh,
};

export const FoundationPoseBody = t.Object(
  {
    camera_matrix: t.Array(t.Array(t.Number(), { maxItems: MAX_CAMERA_SIDE }), {
      maxItems: MAX_CAMERA_SIDE,
      description: 'K, 3×3, pixels: [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]',
      examples: [camera_matrix],
    }),
    images: t.Array(Frame, {
      minItems: 1,
      maxItems: MAX_IMAGES,
      description: `1 to ${MAX_IMAGES} frames of one camera, in order: in the first the object is found by the mask, through the others it is followed`,
      examples: [example.images],
    }),
    mask: base64(
      'The pixels of the object in the first frame: what is not black; resized to the frame where it has another size',
      mask,
    ),
    mesh: base64('The mesh: PLY, or OBJ or GLB, which its content says', mesh),
    depthscale: scale(0.001, 'Metres per unit of the depth'),
    mesh_scale: scale(1, 'Metres per unit of the mesh; 0.001 for millimetres'),
  },
  { examples: [example] },
);

const matrix = (description: string) =>
  t.Array(t.Array(t.Number()), { description, examples: [pose] });

export const FoundationPoseAnswer = t.Object({
  status: t.String({
    description: 'That it is done',
    examples: ['Pose estimation complete'],
  }),
  transformation_matrix: matrix(
    "Object in camera, 4×4, row by row: the mesh's own coordinates (times mesh_scale) → camera, metres; x right, y down, z ahead. Of several images the last one's",
  ),
  transformation_matrices: t.Array(matrix('Object in camera, 4×4'), {
    description: 'The same of every image, in their order',
    examples: [[pose]],
  }),
  score: t.Number({
    description:
      'Of the last image; higher is better, within one answer; not comparable between methods',
    examples: [0.87],
  }),
  inlier_fraction: t.Number({
    description:
      'Of the last image: share of the pixels with depth that agree with the mesh at its pose, in [0, 1]',
    examples: [0.93],
  }),
  method: OneOf(['geometric', 'learned'], {
    description: 'learned: FoundationPose, where it is installed; geometric: by shape alone',
    examples: ['geometric'],
  }),
  elapsed_ms: t.Number({
    description: 'Milliseconds from the request having been read to its poses',
    examples: [842.1],
  }),
  warnings: t.Array(t.String(), {
    description: 'What makes the poses unsure, in words',
    examples: [['images.0: inlier_fraction is 0.31: …']],
  }),
});

/** The body of every error but a key's. */
export const FoundationPoseError = t.Object({
  error: t.String({
    description: 'The kind, in the words of the document',
    examples: ['Pose estimation failed'],
  }),
  details: t.Optional(
    t.String({
      description: 'What was given, what was expected, and what to do; not in a 401',
      examples: ['mask: it is empty; expected pixels that are not 0 where the object is'],
    }),
  ),
});

export type FoundationPoseFields = Static<typeof FoundationPoseBody>;
export type FoundationPoseAnswer = Static<typeof FoundationPoseAnswer>;
