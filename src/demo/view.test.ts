import { describe, expect, test } from 'bun:test';
import sharp from 'sharp';
import { drawCloud } from '../media/cloud_picture.ts';
import { type GridCloud, renderView, VIEW } from './view.ts';

const WIDTH = 160;
const HEIGHT = 120;

/** What a pinhole camera sees of a depth per pixel. */
function cloud(
  focal: number,
  depthAt: (u: number, v: number) => number,
  colorAt: (u: number, v: number) => readonly number[] = () => [200, 200, 200],
): GridCloud {
  const points = new Float32Array(WIDTH * HEIGHT * 3);
  const colors = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let v = 0; v < HEIGHT; v++) {
    for (let u = 0; u < WIDTH; u++) {
      const [z, at] = [depthAt(u, v), 3 * (v * WIDTH + u)];
      points.set([((u - WIDTH / 2) / focal) * z, ((v - HEIGHT / 2) / focal) * z, z], at);
      colors.set(colorAt(u, v), at);
    }
  }
  return { points, colors, width: WIDTH, height: HEIGHT, focal };
}

async function pixels(png: Uint8Array): Promise<Uint8Array> {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3 });
  return data;
}

/** The background is the only dark colour in these clouds. */
const isDrawn = (rgb: Uint8Array, pixel: number) => rgb[3 * pixel] > 60 || rgb[3 * pixel + 2] > 60;

/** Share of the picture that the cloud's bounds span, the larger of the two directions. */
function span(rgb: Uint8Array): { span: number; onBorder: number } {
  const columns: number[] = [];
  const rows: number[] = [];
  for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel++) {
    if (!isDrawn(rgb, pixel)) continue;
    columns.push(pixel % WIDTH);
    rows.push(Math.floor(pixel / WIDTH));
  }
  const [wide, high] = [columns, rows].map((all) => Math.max(...all) - Math.min(...all) + 1);
  const onBorder =
    columns.filter((column) => column === 0 || column === WIDTH - 1).length +
    rows.filter((row) => row === 0 || row === HEIGHT - 1).length;
  return { span: Math.max(wide / WIDTH, high / HEIGHT), onBorder };
}

/** A room: a floor that rises to a wall. */
const room = (focal: number) => (_: number, v: number) =>
  Math.min(5, 1.2 / Math.max((v - HEIGHT / 2) / focal, 0.01));

describe('the second view', () => {
  test.each([
    ['a wall', 140, () => 3],
    ['a far wall', 140, () => 80],
    ['a room', 140, room(140)],
    ['a room through a wide lens', 60, room(60)],
    ['a step from near to far', 140, (u: number) => (u < 80 ? 1 : 40)],
  ])('of %s holds all of it and is filled by it', async (_, focal, depthAt) => {
    const rgb = await pixels(await renderView(cloud(focal, depthAt)));
    const framed = span(rgb);
    expect(framed.span).toBeGreaterThan(0.8);
    expect(framed.span).toBeLessThanOrEqual(1);
    expect(framed.onBorder).toBeLessThan(0.01 * WIDTH * HEIGHT);
  });

  test('needs its framing: from the first camera the same room runs over the border', () => {
    const { points, colors } = cloud(60, room(60));
    const camera = { fx: 60, fy: 60, cx: 80, cy: 60, width: WIDTH, height: HEIGHT };
    const plain = drawCloud(points, colors, camera, VIEW);
    expect(span(plain.data).onBorder).toBeGreaterThan(0.01 * WIDTH * HEIGHT);
  });

  test('is from the right and above: what is near moves left and down', async () => {
    const isNear = (u: number, v: number) => Math.abs(u - 80) < 20 && Math.abs(v - 60) < 20;
    const scene = cloud(
      140,
      (u, v) => (isNear(u, v) ? 1.5 : 3),
      (u, v) => (isNear(u, v) ? [220, 0, 0] : [0, 0, 220]),
    );
    const rgb = await pixels(await renderView(scene));
    const centre = (channel: number) => {
      const found = Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => pixel).filter(
        (pixel) => rgb[3 * pixel + channel] > 150,
      );
      const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
      return [
        mean(found.map((pixel) => pixel % WIDTH)),
        mean(found.map((pixel) => Math.floor(pixel / WIDTH))),
      ];
    };
    const [near, far] = [centre(0), centre(2)];
    expect(near[0]).toBeLessThan(far[0] - 5);
    expect(near[1]).toBeGreaterThan(far[1] + 3);
  });

  test('shows a surface closed, not as loose points', async () => {
    const rgb = await pixels(await renderView(cloud(140, () => 3)));
    let holes = 0;
    for (let row = 1; row < HEIGHT - 1; row++) {
      for (let column = 1; column < WIDTH - 1; column++) {
        const pixel = row * WIDTH + column;
        const around = [-1, 1, -WIDTH, WIDTH].every((by) => isDrawn(rgb, pixel + by));
        if (around && !isDrawn(rgb, pixel)) holes++;
      }
    }
    expect(holes).toBe(0);
  });
});
