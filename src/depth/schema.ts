import { type Static, Type as t } from '@sinclair/typebox';
import { FormFile, OneOf } from '../api/schema.ts';

const EXAMPLE_URL = 'https://example.com/room.jpg';

/** A whole picture, of 16×12 pixels, so that the docs' examples can be sent as they are. */
const EXAMPLE_IMAGE =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAMBAMAAACZySCyAAAAMFBMVEXctDy1oAC1kQC1fwB4nACAhgBFlQBFfwC6bQC6XgCVaACnVABpZgBFaQBqVABFVADX00XTAAAAU0lEQVR42iXLMQ3DMBAAwPPr56IJhAIprlDoEgalEARWGThrFcXfIftdqzpcux7wMaXZw/GQvUz1lcAQ2rK8bHLF+TvfATZyNNQQ6ubJU9vdvQZ/UZIdPpH3/C8AAAAASUVORK5CYII=';

const image = t.Optional(
  t.Union([t.String(), FormFile()], {
    description:
      'The picture as an encoded file (JPEG, PNG, WebP, GIF, TIFF, AVIF): base64 of what cv2.imencode makes, a data URL, or an http(s) URL. In multipart/form-data: the file itself. Give image or image_url',
    examples: [EXAMPLE_IMAGE],
  }),
);

const imageUrl = t.Optional(
  t.String({
    description: 'An http(s) URL of the picture. Addresses that are not public are refused',
    examples: [EXAMPLE_URL],
  }),
);

const encoder = t.Optional(
  OneOf(['vits', 'vitb', 'vitl', 'mini'], {
    default: 'vitl',
    description:
      'Size of the network: vits (24.8 M parameters), vitb (97.5 M), vitl (335.3 M), or mini (the embedded one). When it is not installed another answers, and `model` says which, unless the server runs with --strict-models',
    examples: ['vitl'],
  }),
);

const dataset = t.Optional(
  OneOf(['hypersim', 'vkitti'], {
    default: 'hypersim',
    description:
      'What a metric model was trained on: hypersim (indoor, 20 m), vkitti (outdoor, 80 m)',
    examples: ['hypersim'],
  }),
);

const modelInputSize = t.Optional(
  t.Integer({
    default: 518,
    minimum: 14,
    description:
      "Pixels of the image's shorter side as it enters the model, a multiple of 14 up to the server's bound (1036 unless set)",
    examples: [518],
  }),
);

const maxDepth = t.Optional(
  t.Union([t.Number(), t.Null()], {
    description:
      "Metres, above 0: the factor of the model's output in (0, 1). Give what the model was trained to (20 for hypersim, 80 for vkitti) for true metres; without it, that is taken",
    examples: [20],
  }),
);

const intrinsics = t.Object(
  {
    fx: t.Number({
      minimum: 1e-3,
      maximum: 1e7,
      description: 'Focal length along x, pixels, above 0',
      examples: [1000],
    }),
    fy: t.Number({
      minimum: 1e-3,
      maximum: 1e7,
      description: 'Focal length along y, pixels, above 0',
      examples: [1000],
    }),
    cx: t.Number({
      minimum: -1e7,
      maximum: 1e7,
      description: 'Principal point, pixels from the left',
      examples: [640],
    }),
    cy: t.Number({
      minimum: -1e7,
      maximum: 1e7,
      description: 'Principal point, pixels from the top',
      examples: [480],
    }),
  },
  {
    description:
      'Pinhole intrinsics in pixels of the image as sent; the centre of the first pixel is (0, 0)',
    examples: [{ fx: 1000, fy: 1000, cx: 640, cy: 480 }],
  },
);

const common = { image, image_url: imageUrl, encoder, dataset, model_input_size: modelInputSize };

/** A request as it can be sent. */
const example = {
  image: EXAMPLE_IMAGE,
  encoder: 'vitl',
  dataset: 'hypersim',
  model_input_size: 518,
};

export const RelativeDepthBody = t.Object(
  {
    ...common,
    relative_model: t.Optional(
      t.Boolean({
        default: false,
        description:
          'false: the metric model with max_depth = 1, values in (0, 1), larger is farther. true: the relative model, disparity without unit, larger is nearer',
        examples: [false],
      }),
    ),
  },
  { examples: [example] },
);

export const MetricDepthBody = t.Object(
  { ...common, max_depth: maxDepth },
  { examples: [{ ...example, max_depth: 20 }] },
);

export const PointCloudBody = t.Object(
  {
    ...common,
    max_depth: maxDepth,
    camera_intrinsics: intrinsics,
    stride: t.Optional(
      t.Integer({
        default: 1,
        minimum: 1,
        maximum: 64,
        description: 'Takes every n-th pixel of every n-th row',
        examples: [1],
      }),
    ),
    depth_range: t.Optional(
      t.Array(t.Number(), {
        minItems: 2,
        maxItems: 2,
        description: 'Metres [near, far]: points whose depth lies outside are left out',
        examples: [[0.1, 10]],
      }),
    ),
    colors: t.Optional(
      t.Boolean({
        default: false,
        description: "Also give each point its pixel's colour, in JSON and PLY",
        examples: [true],
      }),
    ),
  },
  {
    examples: [
      {
        ...example,
        max_depth: 20,
        camera_intrinsics: { fx: 14, fy: 14, cx: 7.5, cy: 5.5 },
        colors: true,
      },
    ],
  },
);

export const ColormapQuery = t.Object({
  colormap: t.Optional(
    OneOf(['turbo', 'viridis', 'inferno', 'magma', 'gray', 'spectral'], {
      description: 'For Accept: image/png: a colour picture of the depth, near is warm or bright',
      examples: ['turbo'],
    }),
  ),
});

const answer = {
  min: t.Number({ description: 'The smallest value of the depth map', examples: [0.1] }),
  max: t.Number({ description: 'The largest value of the depth map', examples: [0.95] }),
  kind: OneOf(['metric', 'relative'], {
    description: 'metric: larger is farther. relative: disparity, larger is nearer',
    examples: ['metric'],
  }),
  unit: OneOf(['metre', 'fraction of max_depth', 'none'], {
    description: 'Unit of the values',
    examples: ['metre'],
  }),
  model: t.String({ description: 'The model that answered', examples: ['depth-mini'] }),
  model_exact: t.Boolean({
    description: 'Whether that is the model asked for',
    examples: [false],
  }),
};

const depthMap = t.String({
  description: 'Base64 of little-endian float32, row-major [H, W]',
  examples: ['zczMPQ=='],
});
const shape = t.Array(t.Integer(), {
  description: '[H, W] of the depth map: the size of the image',
  examples: [[480, 640]],
});

export const DepthAnswer = t.Object({ depth_map: depthMap, shape, ...answer });

export const PointCloudAnswer = t.Object({
  pointcloud: t.String({
    description:
      'Base64 of little-endian float32, row-major [N, 3]: X right, Y down, Z forward (OpenCV camera frame), in the unit of the depth',
    examples: ['zczMPc3MzD3NzMw9'],
  }),
  pointcloud_shape: t.Array(t.Integer(), {
    description: '[N, 3]; N is H·W unless stride or depth_range leave points out',
    examples: [[307_200, 3]],
  }),
  colors: t.Optional(
    t.String({ description: 'Base64 of uint8 RGB, row-major [N, 3]', examples: ['AAAA'] }),
  ),
  depth_map: depthMap,
  depth_shape: shape,
  ...answer,
});

export const DEPTH_ERRORS = {
  400: 'The body is not JSON, or max_depth is null, 0 or negative',
  401: 'A key is required, or the key is wrong',
  406: 'No offered media type is accepted',
  413: 'The body or the image is too large',
  415: 'Neither JSON nor multipart/form-data',
  422: 'A field or the image is invalid',
  500: 'The model failed',
  503: 'The server is busy, or the model is not installed',
};

export type RelativeDepthFields = Static<typeof RelativeDepthBody>;
export type MetricDepthFields = Static<typeof MetricDepthBody>;
export type PointCloudFields = Static<typeof PointCloudBody>;
export type DepthAnswer = Static<typeof DepthAnswer>;
export type PointCloudAnswer = Static<typeof PointCloudAnswer>;
export type Colormap = NonNullable<Static<typeof ColormapQuery>['colormap']>;
