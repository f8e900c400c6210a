import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import sharp from 'sharp';
import { maxAbsoluteError } from '../../test/numbers.ts';
import { cloudOf, depthOf, floats, type TestServer, testServer } from '../../test/server.ts';
import { decodeNpy } from '../media/npy.ts';

const WIDTH = 96;
const HEIGHT = 64;
const K = { fx: 80, fy: 81, cx: 47.5, cy: 31.5 };
const FAST = { model_input_size: 70 };

let server: TestServer;
let file: Buffer<ArrayBuffer>;
let image: string;

beforeAll(async () => {
  server = await testServer();
  const pixels = Uint8Array.from(
    { length: WIDTH * HEIGHT * 3 },
    (_, i) => (i * 7 + Math.floor(i / 288) * 3) % 256,
  );
  const raw = { width: WIDTH, height: HEIGHT, channels: 3 as const };
  file = (await sharp(pixels, { raw }).png().toBuffer()) as Buffer<ArrayBuffer>;
  image = file.toString('base64');
});
afterAll(() => server.close());

describe("the document's examples", () => {
  test('/pc', async () => {
    const response = await server.post('/pc', {
      image,
      camera_intrinsics: { fx: 1000.0, fy: 1000.0, cx: 640.0, cy: 480.0 },
      max_depth: 1.0,
      encoder: 'vitl',
      dataset: 'hypersim',
      model_input_size: 518,
    });
    expect(response.status).toBe(200);
    const answer = await cloudOf(response);
    expect(answer.pointcloud_shape).toEqual([WIDTH * HEIGHT, 3]);
    expect(answer.depth_shape).toEqual([HEIGHT, WIDTH]);
    expect(floats(answer.pointcloud)).toHaveLength(WIDTH * HEIGHT * 3);
    expect(floats(answer.depth_map)).toHaveLength(WIDTH * HEIGHT);
    expect(answer).toMatchObject({ kind: 'metric', unit: 'metre', model: 'depth-mini' });
    expect(answer.model_exact).toBe(false);
  });

  test('/metric_depth', async () => {
    const response = await server.post('/metric_depth', {
      image,
      max_depth: 1.0,
      encoder: 'vitl',
      dataset: 'hypersim',
      model_input_size: 518,
    });
    expect(response.status).toBe(200);
    const answer = await depthOf(response);
    const depth = floats(answer.depth_map);
    expect(answer.shape).toEqual([HEIGHT, WIDTH]);
    expect(answer.min).toBe(depth.reduce((a, b) => Math.min(a, b)));
    expect(answer.max).toBe(depth.reduce((a, b) => Math.max(a, b)));
  });

  test('/rel_depth', async () => {
    const body = { image, encoder: 'vitl', dataset: 'hypersim', model_input_size: 518 };
    const answer = await depthOf(await server.post('/rel_depth', body));
    expect(answer).toMatchObject({ kind: 'metric', unit: 'fraction of max_depth' });
    expect(answer.min).toBeGreaterThan(0);
    expect(answer.max).toBeLessThan(1);
  });
});

describe('depth', () => {
  test('scales with max_depth, and is metres of the trained range without it', async () => {
    const depth = async (fields: object) =>
      floats(
        (await depthOf(await server.post('/metric_depth', { image, ...FAST, ...fields })))
          .depth_map,
      );
    const one = await depth({ max_depth: 1 });
    const twenty = await depth({ max_depth: 20 });
    expect(maxAbsoluteError(await depth({}), twenty)).toBe(0);
    expect(
      maxAbsoluteError(
        one.map((value) => value * 20),
        twenty,
      ),
    ).toBeLessThan(1e-5);
  });

  test('of the relative model is disparity: larger is nearer', async () => {
    const relative = await depthOf(
      await server.post('/rel_depth', { image, ...FAST, relative_model: true }),
    );
    const metric = await depthOf(await server.post('/metric_depth', { image, ...FAST }));
    expect(relative).toMatchObject({ kind: 'relative', unit: 'none' });
    const near = floats(metric.depth_map).indexOf(metric.min);
    const values = floats(relative.depth_map);
    expect(values[near]).toBeGreaterThan(relative.min + 0.9 * (relative.max - relative.min));
  });

  test('is the same for the same picture, however it is sent', async () => {
    const json = await depthOf(await server.post('/metric_depth', { image, ...FAST }));
    const dataUrl = `data:image/png;base64,${image}`;
    const other = await depthOf(await server.post('/metric_depth', { image: dataUrl, ...FAST }));
    expect(other.depth_map).toBe(json.depth_map);
    const form = new FormData();
    form.set('image', new Blob([file]), 'picture.png');
    form.set('model_input_size', '70');
    const request = new Request('http://localhost/metric_depth', { method: 'POST', body: form });
    expect((await depthOf(await server.handle(request))).depth_map).toBe(json.depth_map);
  });
});

test('requests for different outputs of one graph, at once, keep to their own', async () => {
  const relative = { image, ...FAST, relative_model: true };
  const alone = await depthOf(await server.post('/rel_depth', relative));
  const mixed = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      const path = i % 2 === 0 ? '/rel_depth' : '/metric_depth';
      const body = i % 2 === 0 ? relative : { image, ...FAST };
      return depthOf(await server.post(path, body));
    }),
  );
  mixed.forEach((answer, i) => {
    if (i % 2 === 0) expect(answer.max).toBeCloseTo(alone.max, 3);
    else expect(answer.max).not.toBeCloseTo(alone.max, 1);
  });
});

describe('the point cloud', () => {
  const body = () => ({ image, camera_intrinsics: K, ...FAST });

  test('is the depth, unprojected', async () => {
    const answer = await cloudOf(await server.post('/pc', body()));
    const depth = floats(answer.depth_map);
    const points = floats(answer.pointcloud);
    const expected = Float64Array.from(points, (_, i) => {
      const pixel = Math.floor(i / 3);
      const z = depth[pixel];
      if (i % 3 === 0) return (((pixel % WIDTH) - K.cx) / K.fx) * z;
      return i % 3 === 1 ? ((Math.floor(pixel / WIDTH) - K.cy) / K.fy) * z : z;
    });
    expect(maxAbsoluteError(points, expected)).toBeLessThan(1e-5 * answer.max);
  });

  test('takes a stride, a depth range and colours', async () => {
    const all = await cloudOf(await server.post('/pc', { ...body(), stride: 2, colors: true }));
    const count = (WIDTH / 2) * (HEIGHT / 2);
    expect(all.pointcloud_shape).toEqual([count, 3]);
    expect(Uint8Array.fromBase64(all.colors as string)).toHaveLength(count * 3);
    const middle = (all.min + all.max) / 2;
    const some = await cloudOf(
      await server.post('/pc', { ...body(), stride: 2, colors: true, depth_range: [0, middle] }),
    );
    const near = floats(all.pointcloud).filter((z, i) => i % 3 === 2 && z <= middle);
    expect(some.pointcloud_shape).toEqual([near.length, 3]);
    expect(near.length).toBeGreaterThan(0);
    expect(near.length).toBeLessThan(count);
    expect([...floats(some.pointcloud).filter((_, i) => i % 3 === 2)]).toEqual([...near]);
    expect(Uint8Array.fromBase64(some.colors as string)).toHaveLength(near.length * 3);
  });
});

describe('Accept', () => {
  const ask = (path: string, accept: string, fields = {}) =>
    server.post(path, { image, camera_intrinsics: K, ...FAST, ...fields }, { accept });

  test('raw float32, with its facts in headers', async () => {
    const json = await depthOf(await ask('/metric_depth', 'application/json'));
    const response = await ask('/metric_depth', 'application/octet-stream');
    expect(response.headers.get('x-shape')).toBe(`${HEIGHT},${WIDTH}`);
    expect(response.headers.get('x-unit')).toBe('metre');
    expect(response.headers.get('x-model-exact')).toBe('false');
    const raw = new Float32Array(await response.arrayBuffer());
    expect(maxAbsoluteError(raw, floats(json.depth_map))).toBe(0);
  });

  test('.npy', async () => {
    const response = await ask('/pc', 'application/x-npy', { stride: 4 });
    const { shape } = decodeNpy(await response.bytes());
    expect(shape).toEqual([(WIDTH / 4) * (HEIGHT / 4), 3]);
  });

  test('16-bit PNG in millimetres, and a colour picture', async () => {
    const json = await depthOf(await ask('/metric_depth', 'application/json'));
    const png = await (await ask('/metric_depth', 'image/png')).bytes();
    const { data, info } = await sharp(png)
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([WIDTH, HEIGHT, 1]);
    const millimetres = new Uint16Array(data.buffer, data.byteOffset, WIDTH * HEIGHT);
    const metres = floats(json.depth_map);
    const worst = Math.max(...metres.map((value, i) => Math.abs(value * 1000 - millimetres[i])));
    expect(worst).toBeLessThanOrEqual(0.51);
    const colour = await ask('/rel_depth?colormap=turbo', 'image/png');
    expect((await sharp(await colour.bytes()).metadata()).channels).toBe(3);
  });

  test('PLY', async () => {
    const response = await ask('/pc', 'model/ply', { stride: 8, colors: true });
    expect(response.headers.get('content-type')).toBe('model/ply');
    const text = new TextDecoder('latin1').decode(await response.bytes());
    expect(text).toStartWith('ply\nformat binary_little_endian 1.0\n');
    expect(text).toContain(`element vertex ${(WIDTH / 8) * (HEIGHT / 8)}`);
    expect(text).toContain('property uchar red');
  });

  test('colours have no place in raw points', async () => {
    const response = await ask('/pc', 'application/octet-stream', { colors: true });
    expect(response.status).toBe(406);
  });

  test('anything else is refused with what is offered', async () => {
    const response = await ask('/metric_depth', 'text/csv');
    expect(response.status).toBe(406);
    expect(await response.text()).toContain('application/x-npy');
    expect((await ask('/rel_depth', 'image/png')).status).toBe(406);
  });
});

test('Server-Timing has every stage', async () => {
  const response = await server.post('/metric_depth', { image, ...FAST });
  const timing = response.headers.get('server-timing') ?? '';
  for (const stage of ['decode', 'queue', 'preprocess', 'infer', 'postprocess', 'encode']) {
    expect(timing).toMatch(new RegExp(`${stage};dur=\\d+\\.\\d\\d`));
  }
});
