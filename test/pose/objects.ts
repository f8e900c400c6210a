import type { PoseObject } from '../../src/pose/method.ts';
import { type Symmetries, symmetrySet } from '../../src/pose/symmetry.ts';
import { seeded } from '../numbers.ts';
import { ball, box, lathe, meshOf, type Solid, tube, turned, union } from './solids.ts';

/** A generated object; lengths in units of its size. */
interface Design {
  readonly name: string;
  readonly solid: Solid;
  /** About its origin. */
  readonly symmetries?: Symmetries;
}

/** A stone: a ball with random waves, of three different widths. */
function stone(seed: number): Solid {
  const random = seeded(seed);
  const waves = Array.from({ length: 5 }, () => ({
    along: [random(), random(), random()].map((value) => (value - 0.5) * 7),
    phase: random() * 6,
    height: 0.07 + random() * 0.08,
  }));
  const body = ball((direction) =>
    waves.reduce((sum, { along, phase, height }) => {
      const angle = direction.reduce((total, value, k) => total + value * along[k], phase);
      return sum + height * Math.sin(angle);
    }, 0.5),
  );
  const widths = [1, 0.8, 0.6];
  return { ...body, positions: body.positions.map((value, at) => value * widths[at % 3]) };
}

const HALF_TURN_X = [1, 0, 0, 0, -1, 0, 0, 0, -1];
const HALF_TURN_Z = [-1, 0, 0, 0, -1, 0, 0, 0, 1];
const ROUND = { axis: [0, 0, 1] };

function turnZ(parts: number): number[] {
  const [c, s] = [Math.cos((2 * Math.PI) / parts), Math.sin((2 * Math.PI) / parts)];
  return [c, -s, 0, s, c, 0, 0, 0, 1];
}

/** A bar from the middle outwards, turned about z. */
function spoke(length: number, radians: number): Solid {
  return turned(box([length / 2, 0, 0], [length, 0.16, 0.14]), radians);
}

const DESIGNS: readonly Design[] = [
  {
    name: 'bracket',
    solid: union(
      box([0, 0, 0], [1, 0.35, 0.2]),
      box([0.35, 0, 0.35], [0.3, 0.35, 0.6]),
      box([-0.4, 0.25, 0], [0.2, 0.3, 0.2]),
    ),
  },
  {
    name: 'chair',
    solid: union(
      box([0, 0, 0], [0.6, 0.6, 0.12]),
      box([-0.25, 0, 0.4], [0.1, 0.6, 0.8]),
      box([0.2, 0.2, -0.3], [0.15, 0.15, 0.5]),
      box([0.2, -0.25, -0.15], [0.15, 0.1, 0.25]),
    ),
  },
  {
    name: 'kettle',
    solid: union(
      box([0, 0, 0], [0.4, 0.4, 0.7]),
      box([0.35, 0, 0.1], [0.4, 0.12, 0.14]),
      box([0, -0.3, -0.2], [0.15, 0.35, 0.15]),
    ),
  },
  {
    name: 'stairs',
    solid: union(
      box([-0.3, 0, -0.2], [0.3, 0.5, 0.2]),
      box([0, 0, -0.1], [0.3, 0.5, 0.4]),
      box([0.3, 0, 0], [0.3, 0.5, 0.6]),
      box([0.3, 0.32, -0.1], [0.2, 0.15, 0.2]),
    ),
  },
  {
    name: 'letter',
    solid: union(
      box([-0.3, 0, 0], [0.2, 0.25, 1]),
      box([0.05, 0, 0.4], [0.5, 0.25, 0.2]),
      box([0, 0, 0.05], [0.4, 0.25, 0.18]),
    ),
  },
  {
    name: 'mug',
    solid: union(
      lathe([
        [0, -0.4],
        [0.3, -0.4],
        [0.33, 0.4],
        [0.28, 0.4],
        [0.26, -0.34],
        [0, -0.34],
      ]),
      tube(
        [
          [0.3, 0, 0.28],
          [0.52, 0, 0.25],
          [0.58, 0, 0],
          [0.52, 0, -0.22],
          [0.3, 0, -0.26],
        ],
        0.06,
      ),
    ),
  },
  {
    name: 'watering can',
    solid: union(
      lathe([
        [0, -0.3],
        [0.3, -0.3],
        [0.26, 0.25],
        [0.12, 0.28],
      ]),
      tube(
        [
          [0.25, 0, -0.15],
          [0.6, 0, 0.3],
          [0.72, 0, 0.3],
        ],
        0.06,
      ),
      tube(
        [
          [-0.25, 0, -0.2],
          [-0.5, 0, 0.05],
          [-0.4, 0, 0.35],
          [-0.1, 0, 0.28],
        ],
        0.05,
      ),
    ),
  },
  {
    name: 'pan',
    solid: union(
      lathe([
        [0, -0.08],
        [0.3, -0.08],
        [0.36, 0.1],
        [0.33, 0.1],
        [0.28, -0.05],
        [0, -0.05],
      ]),
      box([0.62, 0, 0.06], [0.56, 0.09, 0.05]),
    ),
  },
  {
    name: 'hammer',
    solid: union(
      tube(
        [
          [0, 0, -0.6],
          [0, 0, 0.3],
        ],
        0.06,
      ),
      box([0.06, 0, 0.35], [0.4, 0.16, 0.16]),
      box([-0.22, 0, 0.38], [0.2, 0.12, 0.08]),
    ),
  },
  {
    name: 'drill',
    solid: union(
      tube(
        [
          [-0.4, 0, 0.3],
          [0.25, 0, 0.3],
        ],
        0.15,
      ),
      tube(
        [
          [0.25, 0, 0.3],
          [0.5, 0, 0.3],
        ],
        0.05,
      ),
      box([-0.2, 0, 0], [0.16, 0.14, 0.5]),
      box([-0.15, 0, -0.32], [0.36, 0.22, 0.18]),
    ),
  },
  {
    name: 'lamp',
    solid: union(
      lathe([
        [0, -0.5],
        [0.28, -0.5],
        [0.28, -0.42],
        [0, -0.42],
      ]),
      tube(
        [
          [0, 0, -0.42],
          [-0.2, 0, 0.1],
          [0.2, 0, 0.4],
        ],
        0.04,
      ),
      box([0.3, 0, 0.34], [0.3, 0.24, 0.16]),
    ),
  },
  ...[4, 5, 6, 7].map((seed) => ({ name: `stone ${seed}`, solid: stone(seed) })),
  {
    name: 'vase',
    solid: lathe([
      [0, -0.5],
      [0.2, -0.5],
      [0.32, -0.1],
      [0.12, 0.3],
      [0.2, 0.5],
    ]),
    symmetries: { continuous: [ROUND] },
  },
  {
    name: 'dumb-bell',
    solid: lathe([
      [0, -0.5],
      [0.25, -0.5],
      [0.25, -0.25],
      [0.09, -0.25],
      [0.09, 0.25],
      [0.25, 0.25],
      [0.25, 0.5],
      [0, 0.5],
    ]),
    symmetries: { discrete: [HALF_TURN_X], continuous: [ROUND] },
  },
  {
    name: 'block',
    solid: box([0, 0, 0], [0.9, 0.55, 0.3]),
    symmetries: { discrete: [HALF_TURN_X, HALF_TURN_Z] },
  },
  {
    name: 'tripod',
    solid: union(
      ...[0, 1, 2].map((arm) => spoke(0.5, (arm * 2 * Math.PI) / 3)),
      lathe([
        [0.1, 0],
        [0.14, 0.4],
        [0, 0.4],
      ]),
    ),
    symmetries: { discrete: [turnZ(3)] },
  },
  {
    name: 'propeller',
    solid: union(
      ...[0, 1, 2, 3].map((arm) => spoke(0.5, (arm * Math.PI) / 2)),
      box([0, 0, 0.1], [0.22, 0.22, 0.36]),
    ),
    symmetries: { discrete: [turnZ(4)] },
  },
];

/** How many objects there are. */
export const OBJECTS = DESIGNS.length;

/** An object for tests and measurements of pose, and what to call it. */
export interface GeneratedObject extends PoseObject {
  readonly name: string;
}

/** One of {@link OBJECTS}: 12 to 20 cm large, its origin some centimetres beside it. */
export function generatedObject(index: number): GeneratedObject {
  const { name, solid, symmetries } = DESIGNS[index];
  const scale = 0.12 + (index % 5) * 0.02;
  const offset = [0.05 + 0.01 * (index % 4), -0.04 - 0.01 * (index % 3), 0.06] as const;
  const mesh = meshOf(solid, scale, offset);
  return { name, mesh, symmetries: symmetries ? symmetrySet(about(symmetries, offset), mesh) : [] };
}

/** Symmetries about the origin, as they are about a point. */
function about(
  { discrete = [], continuous = [] }: Symmetries,
  point: readonly number[],
): Symmetries {
  return {
    discrete: discrete.map((values) => {
      const turn = values.flat();
      return [0, 1, 2, 3].map((row) => {
        if (row === 3) return [0, 0, 0, 1];
        const own = turn.slice(row * 3, row * 3 + 3);
        const back = own.reduce((sum, value, k) => sum + value * point[k], 0);
        return [...own, point[row] - back];
      });
    }),
    continuous: continuous.map(({ axis }) => ({ axis, offset: point })),
  };
}
