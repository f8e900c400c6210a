import { type Static, Type as t } from '@sinclair/typebox';
import { FormFile, OneOf } from '../api/schema.ts';
import { prompt } from '../sam/prompt_schema.ts';
import { EXAMPLE_SCENE } from './example_scene.ts';

/** Objects in one request: each is a registration of its own. */
export const MAX_OBJECTS = 16;
export const MAX_SYMMETRIES = 128;

const file = (description: string, example: string) =>
  t.Union([t.String(), FormFile()], {
    description: `${description}. Base64 or a data URL; in multipart/form-data the file itself, or where it stands inside objects the name of the form's field that is the file`,
    examples: [example],
  });

const rows = (count: number, description: string, example: number[][]) =>
  t.Array(t.Array(t.Number()), {
    minItems: count,
    maxItems: count,
    description,
    examples: [example],
  });

const vector = (description: string, example: number[]) =>
  t.Array(t.Number(), { minItems: 3, maxItems: 3, description, examples: [example] });

const intrinsic = (description: string, example: number) =>
  t.Number({ minimum: -1e7, maximum: 1e7, description, examples: [example] });

const { camera_matrix: EXAMPLE_K, image: EXAMPLE_IMAGE, depth: EXAMPLE_DEPTH } = EXAMPLE_SCENE;
const EXAMPLE_POSE = EXAMPLE_SCENE.pose;

const observation = {
  image: t.Optional(
    t.Union([t.String(), FormFile()], {
      description:
        'The colour picture as an encoded file (JPEG, PNG, WebP, GIF, TIFF, AVIF): base64, a data URL, or an http(s) URL. In multipart/form-data: the file itself, and the other fields as JSON. Give image or image_url',
      examples: [EXAMPLE_IMAGE],
    }),
  ),
  image_url: t.Optional(
    t.String({
      description: 'An http(s) URL of the picture. Addresses that are not public are refused',
      examples: ['https://example.com/desk.png'],
    }),
  ),
  depth: t.Optional(
    file(
      'Depth along the optical axis, a 16-bit grey PNG of the size of the colour picture and registered to it; 0 where there is none. Needed: without it the answer is 400',
      EXAMPLE_DEPTH,
    ),
  ),
  depth_scale: t.Optional(
    t.Number({
      default: 0.001,
      minimum: 1e-7,
      maximum: 1,
      description: 'Metres per unit of the depth; 0.001 for millimetres',
      examples: [0.001],
    }),
  ),
  camera_matrix: t.Optional(
    rows(
      3,
      'Intrinsics K in pixels of the colour picture, [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]; the centre of the first pixel is (0, 0), and the lens is without distortion. Give camera_matrix or camera_intrinsics',
      EXAMPLE_K,
    ),
  ),
  camera_intrinsics: t.Optional(
    t.Object(
      {
        fx: intrinsic('Focal length along x, pixels, above 0', EXAMPLE_K[0][0]),
        fy: intrinsic('Focal length along y, pixels, above 0', EXAMPLE_K[1][1]),
        cx: intrinsic('Principal point, pixels from the left', EXAMPLE_K[0][2]),
        cy: intrinsic('Principal point, pixels from the top', EXAMPLE_K[1][2]),
      },
      {
        description: 'The same four numbers as /pc takes them',
        examples: [
          { fx: EXAMPLE_K[0][0], fy: EXAMPLE_K[1][1], cx: EXAMPLE_K[0][2], cy: EXAMPLE_K[1][2] },
        ],
      },
    ),
  ),
};

const symmetries = t.Object(
  {
    discrete: t.Optional(
      t.Array(t.Array(t.Union([t.Number(), t.Array(t.Number())])), {
        maxItems: MAX_SYMMETRIES,
        description:
          "Motions that leave the object as it is, each a 4×4 matrix row by row (nested, or 16 numbers as BOP writes them), or a 3×3 rotation; translations in the mesh's units",
        examples: [
          [
            [
              [-1, 0, 0, 0],
              [0, -1, 0, 0],
              [0, 0, 1, 0],
              [0, 0, 0, 1],
            ],
          ],
        ],
      }),
    ),
    continuous: t.Optional(
      t.Array(
        t.Object({
          axis: vector('Direction of the axis, of any length above 0', [0, 0, 1]),
          offset: t.Optional(vector("A point on the axis, in the mesh's units", [0, 0, 0])),
        }),
        {
          maxItems: 4,
          description: 'Axes about which the object may be turned by any angle',
          examples: [[{ axis: [0, 0, 1], offset: [0, 0, 0] }]],
        },
      ),
    ),
  },
  {
    description:
      "Symmetries of the object in its mesh's own frame: poses that differ by one of them count as one",
    examples: [{ continuous: [{ axis: [0, 0, 1] }] }],
  },
);

const object = {
  name: t.Optional(
    t.String({
      maxLength: 100,
      description: 'What the answer calls the object',
      examples: ['bracket'],
    }),
  ),
  mesh: file(
    'The mesh: PLY (ASCII or binary), OBJ, GLB or glTF with everything inside; its content says which',
    EXAMPLE_SCENE.mesh,
  ),
  texture: t.Optional(
    file('The picture that an OBJ or PLY takes its colours from', 'iVBORw0KGgo='),
  ),
  material: t.Optional(file('The MTL file of an OBJ', 'bmV3bXRsIGE=')),
  mesh_scale: t.Optional(
    t.Number({
      default: 1,
      minimum: 1e-9,
      maximum: 1e9,
      description: 'Metres per unit of the mesh: 1 for metres, 0.001 for millimetres',
      examples: [1],
    }),
  ),
  symmetries: t.Optional(symmetries),
};

const rle = t.Object(
  {
    size: t.Array(t.Integer(), { description: '[h, w]', examples: [[48, 64]] }),
    counts: t.String({ description: 'COCO compressed RLE', examples: ['PPYo0aYbA1O2N1O1O1'] }),
  },
  { description: 'As /api/v1/image/segment answers with mask_format "rle_object"' },
);

const EstimateObject = t.Object({
  ...object,
  mask: t.Optional(
    t.Union([t.String(), FormFile(), rle], {
      description:
        "The pixels that show the object: a picture (base64, data URL, or a form's field) whose pixels are inside where they are not black, or COCO's run lengths. It is resized to the colour picture, each pixel to the nearest. Give mask or prompt",
      examples: [EXAMPLE_SCENE.mask],
    }),
  ),
  prompt: t.Optional({
    ...prompt,
    description:
      'Instead of a mask: a text, a box around the object, or clicks on it, for the segmentation model that is installed; coordinates are fractions of the picture',
    examples: [{ points: [[0.5, 0.5]] }],
  }),
  check_units: t.Optional(
    t.Boolean({
      default: true,
      description:
        "Refuse a mesh whose diameter and the extent of the mask's depth differ by more than a factor of 3. false for objects of which little is seen",
      examples: [true],
    }),
  ),
});

const TrackObject = t.Object({
  ...object,
  pose: rows(
    4,
    'The last pose, as it was answered: 4×4, object → camera, metres, row by row',
    EXAMPLE_POSE,
  ),
});

const method = t.Optional(
  OneOf(['auto', 'geometric', 'learned'], {
    default: 'auto',
    description:
      'geometric: by shape alone, needs no weights. learned: FoundationPose, 503 where it is not installed. auto: learned where it is installed, else geometric',
    examples: ['auto'],
  }),
);

const iterations = (count: number) =>
  t.Optional(
    t.Integer({
      minimum: 1,
      maximum: 20,
      default: count,
      description: `Refinements of each hypothesis by the learned method; the geometric one has a schedule of its own`,
      examples: [count],
    }),
  );

const EXAMPLE_OBJECT = { name: 'bracket', mesh: EXAMPLE_SCENE.mesh };
const example = {
  image: EXAMPLE_IMAGE,
  depth: EXAMPLE_DEPTH,
  depth_scale: 0.001,
  camera_matrix: EXAMPLE_K,
};

export const EstimateBody = t.Object(
  {
    ...observation,
    objects: t.Array(EstimateObject, {
      minItems: 1,
      maxItems: MAX_OBJECTS,
      description: `1 to ${MAX_OBJECTS} objects in this one frame`,
      examples: [[{ ...EXAMPLE_OBJECT, mask: EXAMPLE_SCENE.mask }]],
    }),
    method,
    iterations: iterations(5),
    top_k: t.Optional(
      t.Integer({
        minimum: 1,
        maximum: 20,
        default: 1,
        description: 'Distinct poses to give for each object, at most; the best is the answer',
        examples: [3],
      }),
    ),
    confidence_threshold: t.Optional(
      t.Number({
        minimum: 0,
        maximum: 1,
        description:
          "Masks of prompts with a lower score are no find, in [0, 1]; without it the server's own",
        examples: [0.5],
      }),
    ),
  },
  {
    examples: [
      { ...example, objects: [{ ...EXAMPLE_OBJECT, mask: EXAMPLE_SCENE.mask }], top_k: 2 },
    ],
  },
);

export const TrackBody = t.Object(
  {
    ...observation,
    objects: t.Array(TrackObject, {
      minItems: 1,
      maxItems: MAX_OBJECTS,
      description: `1 to ${MAX_OBJECTS} objects and where they were a frame ago`,
      examples: [[{ ...EXAMPLE_OBJECT, pose: EXAMPLE_POSE }]],
    }),
    method,
    iterations: iterations(2),
  },
  { examples: [{ ...example, objects: [{ ...EXAMPLE_OBJECT, pose: EXAMPLE_POSE }] }] },
);

export const POSE_ERRORS = {
  400: 'The body is not JSON, or there is no depth',
  401: 'A key is required, or the key is wrong',
  406: 'No offered media type is accepted',
  413: 'The body or a file is too large',
  415: 'Neither JSON nor multipart/form-data',
  422: 'A field, a picture or a mesh is invalid; mesh and depth disagree in size; a mask shows too little; a prompt finds nothing; a tracked object is out of sight',
  429: 'More requests than RATE_LIMIT_REQUESTS_PER_MINUTE; Retry-After says when to come back',
  500: 'The method failed',
  503: 'The server is busy, or the method or the model for a prompt is not installed',
};

export type EstimateFields = Static<typeof EstimateBody>;
export type TrackFields = Static<typeof TrackBody>;
export type ObjectFields = EstimateFields['objects'][number];
export type SymmetryFields = Static<typeof symmetries>;
