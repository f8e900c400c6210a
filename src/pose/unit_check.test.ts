import { describe, expect, test } from 'bun:test';
import { type SentScales, unitProblem } from './unit_check.ts';

const [WIDTH, HEIGHT] = [40, 30];
const intrinsics = { fx: 50, fy: 50, cx: 19.5, cy: 14.5 };

/** A board of 20×20 pixels in the middle, facing the camera; its diagonal is 0.566 of its distance. */
function board(distance: number) {
  const depth = new Float32Array(WIDTH * HEIGHT);
  const mask = new Uint8Array(WIDTH * HEIGHT);
  for (let v = 5; v < 25; v++) {
    depth.fill(distance, v * WIDTH + 10, v * WIDTH + 30);
    mask.fill(255, v * WIDTH + 10, v * WIDTH + 30);
  }
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3);
  return { frame: { width: WIDTH, height: HEIGHT, rgb, depth, intrinsics }, mask };
}

const sent: SentScales = {
  meshField: 'mesh',
  meshScaleField: 'mesh_scale',
  meshScale: 1,
  depthScaleField: 'depth_scale',
  depthScale: 0.001,
};

function problem(diameter: number, distance: number, scales: Partial<SentScales> = {}) {
  const { frame, mask } = board(distance);
  return unitProblem(diameter, frame, mask, { ...sent, ...scales });
}

describe('a mesh and its depth', () => {
  test('agree within a factor of three', () => {
    // The board's diagonal at 1 m is about 0.5 m.
    for (const diameter of [0.2, 0.5, 1, 1.4]) expect(problem(diameter, 1)).toBeNull();
    for (const diameter of [0.1, 2]) expect(problem(diameter, 1)).toBeString();
  });

  test.each<[string, string | null, RegExp[]]>([
    [
      'millimetres',
      problem(600, 1),
      [/a ratio of 1[12]\d\d/, /likely in mm .*send mesh_scale 0\.001$/],
    ],
    ['centimetres', problem(60, 1), [/likely in cm .*send mesh_scale 0\.01$/]],
    ['inches', problem(24, 1), [/likely in inch .*send mesh_scale 0\.0254$/]],
    [
      'a mesh in metres that was scaled',
      problem(0.0006, 1, { meshScale: 0.001 }),
      [/a ratio of 0\.0011/, /is in metres: send mesh_scale 1;/],
    ],
    [
      'a depth in millimetres that was read as metres',
      problem(0.6, 1000, { depthScale: 1 }),
      [/depth is in mm and was read as metres: send depth_scale 0\.001$/],
    ],
    ['nothing that is known', problem(1e9, 1), [/Check that it is this object's mesh/]],
  ])('disagree by %s, and it is said what to send', (_, message, words) => {
    for (const word of words) expect(message ?? '').toMatch(word);
  });

  test('are compared by a part of many pixels as by all', () => {
    const side = 400;
    const frame = {
      width: side,
      height: side,
      rgb: new Uint8Array(side * side * 3),
      depth: new Float32Array(side * side).fill(1),
      intrinsics: { fx: 400, fy: 400, cx: 199.5, cy: 199.5 },
    };
    const mask = new Uint8Array(side * side).fill(255);
    const message = unitProblem(1400, frame, mask, sent) ?? '';
    const [, extent] = /extends over ([\d.]+) m/.exec(message) ?? [];
    // 1 m a side, less 2 % at each end.
    expect(Number(extent) / Math.SQRT2).toBeWithin(0.95, 0.97);
  });

  test('are not compared where there is next to no depth', () => {
    const { frame, mask } = board(1);
    frame.depth.fill(0);
    expect(unitProblem(600, frame, mask, sent)).toBeNull();
    frame.depth.fill(1);
    mask.fill(0);
    mask.fill(255, 600, 603);
    expect(unitProblem(600, frame, mask, sent)).toBeNull();
  });
});
