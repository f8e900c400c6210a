import { encodeBase64 } from '../src/media/base64.ts';
import { INTRINSICS, requestPicture } from './picture.ts';

/** A request as `fetch` and `Request` take it. */
export interface BenchRequest {
  readonly name: string;
  readonly path: string;
  readonly init: {
    readonly method: 'POST';
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
}

type Encoder = 'mini' | 'vits';

interface Wanted {
  readonly path: '/metric_depth' | '/pc';
  readonly accept: string;
  readonly encoder?: Encoder;
  readonly modelInputSize?: number;
}

const ANSWERS: Readonly<Record<string, string>> = {
  'application/json': 'JSON',
  'application/octet-stream': 'raw',
  'image/png': 'png',
  'model/ply': 'ply',
};

/** The project's picture in JSON, as the document's clients send it. */
export async function benchRequest(wanted: Wanted): Promise<BenchRequest> {
  const { path, accept, encoder = 'mini', modelInputSize = 518 } = wanted;
  const body = {
    image: encodeBase64(await requestPicture()),
    encoder,
    dataset: 'hypersim',
    model_input_size: modelInputSize,
    ...(path === '/pc' && { camera_intrinsics: INTRINSICS }),
  };
  return {
    name: `${path} 640x480 ${encoder} ${ANSWERS[accept]}`,
    path,
    init: {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept },
      body: JSON.stringify(body),
    },
  };
}
