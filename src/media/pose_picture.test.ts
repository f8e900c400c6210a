import { describe, expect, test } from 'bun:test';
import sharp from 'sharp';
import { loadMesh } from './mesh/load.ts';
import { colourOf } from './palette.ts';
import { drawPoses, type PosedMesh, poseScale } from './pose_picture.ts';

const camera = { fx: 600, fy: 600, cx: 319.5, cy: 239.5, width: 640, height: 480 };
const GREY = 90;
const pixels = new Uint8Array(640 * 480 * 3).fill(GREY);

/** A box of 0.2 × 0.12 × 0.1 m whose lower corner is at (1, 2, 3). */
const corners = Array.from({ length: 8 }, (_, i) =>
  [1 + 0.2 * (i & 1), 2 + 0.06 * (i & 2), 3 + 0.025 * (i & 4)].join(' '),
);
const quads = ['0 1 3 2', '4 5 7 6', '0 1 5 4', '2 3 7 6', '0 2 6 4', '1 3 7 5'];
const obj = [
  ...corners.map((corner) => `v ${corner}`),
  ...quads.map((quad) => `f ${quad.replace(/\d/g, (k) => String(Number(k) + 1))}`),
].join('\n');
const mesh = await loadMesh(Buffer.from(obj), { maxBytes: 1e4, maxTriangles: 100 });

/** The box's middle at a place, turned 20 degrees about the camera's y axis, then 25 about x. */
function poseAt(x: number, y: number, z: number): number[] {
  const [c, s] = [Math.cos(0.35), Math.sin(0.35)];
  const [d, t] = [Math.cos(0.44), Math.sin(0.44)];
  const rows = [
    [c, 0, s],
    [s * t, d, -c * t],
    [-s * d, t, c * d],
  ];
  const middle = [1.1, 2.06, 3.05];
  return [
    ...rows.flatMap((row, k) => [
      ...row,
      [x, y, z][k] - row.reduce((sum, value, axis) => sum + value * middle[axis], 0),
    ]),
    ...[0, 0, 0, 1],
  ];
}

async function draw(...objects: PosedMesh[]) {
  const png = await drawPoses({ pixels, camera, objects });
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height, info.channels]).toEqual([1280, 960, 3]);
  return (x: number, y: number) => {
    const from = (Math.round(y) * 1280 + Math.round(x)) * 3;
    return [...data.subarray(from, from + 3)];
  };
}

/** Where a point of the box, from its middle, is in the drawing. */
function project(pose: readonly number[], from: readonly number[]): [x: number, y: number] {
  const point = [1.1, 2.06, 3.05].map((value, k) => value + from[k]);
  const [x, y, z] = [0, 4, 8].map(
    (row) => pose[row + 3] + point.reduce((sum, value, k) => sum + value * pose[row + k], 0),
  );
  return [(camera.cx + (camera.fx * x) / z + 0.5) * 2, (camera.cy + (camera.fy * y) / z + 0.5) * 2];
}

const plain = (pose: readonly number[]): PosedMesh => ({
  mesh,
  pose,
  label: '',
  score: Number.NaN,
});

/** The strongest channel of a pixel: 0 red, 1 green, 2 blue. */
const strongest = (rgb: readonly number[]) => rgb.indexOf(Math.max(...rgb));
const isGround = (rgb: readonly number[]) => rgb.every((value) => Math.abs(value - GREY) < 3);

describe('a picture of poses', () => {
  test('is as large as fits a screen, by a whole number, and left alone where nothing is', async () => {
    expect(poseScale({ width: 320, height: 240 })).toBe(3);
    expect(poseScale({ width: 640, height: 480 })).toBe(2);
    expect(poseScale({ width: 1920, height: 1080 })).toBe(1);
    const before = pixels.slice();
    const at = await draw(plain(poseAt(0, 0, -1)));
    for (let y = 0; y < 960; y += 7) {
      for (let x = 0; x < 1280; x += 7) expect(isGround(at(x, y))).toBe(true);
    }
    expect(pixels).toEqual(before);
  });

  test('has the axes, half a diameter long, at the middle of a mesh far from its origin', async () => {
    const pose = poseAt(0.03, -0.02, 0.8);
    const at = await draw(plain(pose));
    const half = mesh.diameter / 2;
    expect(half).toBeCloseTo(Math.hypot(0.2, 0.12, 0.1) / 2, 5);
    for (const axis of [0, 1]) {
      const along = (share: number) => {
        const from = [0, 0, 0];
        from[axis] = share * half;
        return at(...project(pose, from));
      };
      for (const share of [0.3, 0.6, 0.95]) {
        expect(strongest(along(share))).toBe(axis);
        expect(Math.max(...along(share))).toBeGreaterThan(200);
      }
      expect(Math.max(...along(-0.3))).toBeLessThan(120);
    }
    const z = at(...project(pose, [0, 0, half * 0.6]));
    expect(strongest(z)).toBe(2);
    expect(z[2]).toBeGreaterThan(200);
  });

  test('has the outline around the mesh, of its colour, and nothing drawn inside it', async () => {
    const pose = poseAt(0.03, -0.02, 0.8);
    const at = await draw(plain(pose));
    // Outermost edge of this view, halfway up: right from the middle to where the colour is.
    const isOutline = (rgb: number[]) =>
      rgb.every((value, k) => Math.abs(value - colourOf(0)[k]) < 40);
    const hits = (wrong: number) =>
      [-0.3, -0.1, 0.2, 0.4].filter((share) => {
        const [x, y] = project(pose, [-0.1, share * 0.12, -0.05]);
        return [-1, 0, 1].some((by) => isOutline(at(x + by + wrong, y)));
      }).length;
    expect(hits(0)).toBe(4);
    // The control: 12 pixels beside it there is none.
    expect(hits(12)).toBe(0);
    expect(isGround(at(...project(pose, [-0.05, -0.04, -0.05])))).toBe(true);
  });

  test('says what is given on a plate of the object’s colour', async () => {
    const pose = poseAt(0, 0, 0.8);
    const given = { ...plain(pose), label: 'box', score: 0.87 };
    const count = async (object: PosedMesh) => {
      const at = await draw(object);
      let plate = 0;
      for (let y = 0; y < 960; y += 2) {
        for (let x = 0; x < 1280; x += 2) if (String(at(x, y)) === String(colourOf(0))) plate++;
      }
      return plate;
    };
    expect(await count(given)).toBeGreaterThan((await count(plain(pose))) + 500);
  });

  test('of pixels of another size is an error of the program', async () => {
    const drawn = drawPoses({ pixels: new Uint8Array(12), camera, objects: [] });
    await expect(drawn).rejects.toThrow('12 bytes are not the RGB pixels of 640x480');
  });
});
