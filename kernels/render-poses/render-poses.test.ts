import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { devices } from '../../test/devices.ts';
import { maxAbsoluteError } from '../../test/numbers.ts';
import { VIEW } from './kernel.ts';
import { expected, floats, type RenderCase, unpack } from './pose_kernels_fixture.ts';
import { renderFixture, sceneOf } from './render_fixture.ts';

// A software rasteriser on a busy machine.
setDefaultTimeout(120_000);

/** Largest errors where the reference is sure; xyz by the ray of each pixel, in metres. */
function compare(one: RenderCase, { rgb, xyz }: { rgb: Float32Array; xyz: Float32Array }) {
  const [width, height] = one.size;
  const [depth, windows] = [floats(one.depth), floats(one.windows)];
  const [sure, colors] = [unpack(one.sure), unpack(one.rgb)];
  const { fx, fy, cx, cy } = expected.lens;
  const worst = { silhouette: 0, point: 0, color: 0 };
  depth.forEach((z, pixel) => {
    if (!sure[pixel]) return;
    const [left, top, right, bottom] = windows.subarray(
      Math.floor(pixel / width / height) * 4,
      Math.floor(pixel / width / height) * 4 + 4,
    );
    const u = left + (((pixel % width) + 0.5) * (right - left)) / width;
    const v = top + (((Math.floor(pixel / width) % height) + 0.5) * (bottom - top)) / height;
    const point = [((u - cx) / fx) * z, ((v - cy) / fy) * z, z];
    worst.silhouette += Number(z > 0 !== xyz[pixel * 3 + 2] > 0);
    for (let axis = 0; axis < 3; axis++) {
      const at = pixel * 3 + axis;
      worst.point = Math.max(worst.point, Math.abs(xyz[at] - point[axis]));
      worst.color = Math.max(worst.color, Math.abs(rgb[at] - Number(colors[at]) / 65535));
    }
  });
  return worst;
}

test('the range and light are those of the reference', () => {
  expect(expected.lens).toMatchObject(VIEW);
});

describe.each(devices)('render-poses on %s', (_, backend) => {
  test.each(expected.render.map((one) => [one.name, one] as const))(
    '%s: what float64 rays meet',
    async (_, one) => {
      const worst = compare(one, await renderFixture(backend, sceneOf(one)));
      expect(worst.silhouette).toBe(0);
      expect(worst.point).toBeLessThan(2e-6);
      expect(worst.color).toBeLessThan(2e-4);
    },
  );

  test('control: half a pixel and other weights of light are told apart', async () => {
    const [box] = expected.render;
    const scene = sceneOf(box);
    const shifted = scene.windows.map((edge) => edge + 0.5);
    const moved = compare(box, await renderFixture(backend, { ...scene, windows: shifted }));
    expect(moved.silhouette).toBeGreaterThan(4);
    expect(moved.point).toBeGreaterThan(1e-4);
    const dim = { ...scene.params, diffuse: 0.4 };
    expect(
      compare(box, await renderFixture(backend, { ...scene, params: dim })).color,
    ).toBeGreaterThan(0.02);
  });

  test('what is not wanted is not touched: colours, and where nothing is seen it is 0', async () => {
    const scene = sceneOf(expected.render[1]);
    const { rgb, xyz } = await renderFixture(backend, {
      ...scene,
      params: { ...scene.params, colored: 0 },
    });
    expect(rgb.every((value) => value === -7)).toBe(true);
    expect(xyz.some((value) => value === -7)).toBe(false);
    const behind = scene.params.width * scene.params.height * 3 * 3;
    expect(xyz.subarray(behind).every((value) => value === 0)).toBe(true);
  });

  test('one at a time or together, in any number: the same crops', async () => {
    const scene = sceneOf(expected.render[0]);
    const { width, height } = scene.params;
    const size = width * height * 3;
    const all = await renderFixture(backend, scene);
    // More images than a row of the largest texture holds.
    const images = 300;
    const many = await renderFixture(backend, {
      ...scene,
      poses: Float32Array.from({ length: images * 16 }, (_, i) => scene.poses[i % 64]),
      windows: Float32Array.from({ length: images * 4 }, (_, i) => scene.windows[i % 16]),
      params: { ...scene.params, images },
    });
    for (let image = 0; image < images; image++) {
      for (const name of ['rgb', 'xyz'] as const) {
        const crop = many[name].subarray(image * size, (image + 1) * size);
        const same = all[name].subarray((image % 4) * size, ((image % 4) + 1) * size);
        expect(maxAbsoluteError(crop, same)).toBe(0);
      }
    }
  });

  test('edges through pixel centres: each pixel once, that of a top or left edge', async () => {
    // A camera of 1 pixel per metre at z = 1: the square [2, 6] x [1, 4] around (3, 2).
    const corners = [
      [2, 1],
      [6, 1],
      [6, 4],
      [2, 4],
      [3, 2],
    ];
    const vertices = new Float32Array(corners.flatMap(([x, y]) => [x, y, 0, 0, 0, -1, 1, 1, 1]));
    const fan = [0, 1, 4, 2, 1, 4, 2, 3, 4, 3, 0, 4];
    const shown = [];
    for (const indices of [fan, ...[0, 3, 6, 9].map((at) => fan.slice(at, at + 3))]) {
      const { rgb } = await renderFixture(backend, {
        vertices,
        indices: Uint32Array.from(indices),
        texels: new Uint8Array(3),
        poses: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1),
        windows: Float32Array.of(-0.5, -0.5, 7.5, 5.5),
        params: {
          ...expected.lens,
          fx: 1,
          fy: 1,
          cx: 0,
          cy: 0,
          width: 8,
          height: 6,
          images: 1,
          faces: indices.length / 3,
          texture_width: 0,
          texture_height: 0,
          colored: 1,
        },
      });
      shown.push(Array.from({ length: 48 }, (_, pixel) => Number(rgb[pixel * 3] > 0)));
    }
    const [whole, ...parts] = shown;
    const square = Array.from({ length: 48 }, (_, pixel) => {
      const [x, y] = [pixel % 8, Math.floor(pixel / 8)];
      return Number(x >= 2 && x < 6 && y >= 1 && y < 4);
    });
    expect(whole).toEqual(square);
    expect(whole.map((_, pixel) => parts.reduce((sum, part) => sum + part[pixel], 0))).toEqual(
      square,
    );
  });
});
