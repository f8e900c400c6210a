import { type ArgsDef, defineCommand } from 'citty';
import { NoAnswerError } from '../client/index.ts';
import { ConfigError } from '../config.ts';
import { EngineError } from '../engine/errors.ts';
import { MediaError } from '../media/errors.ts';
import { CAMERA_FLAGS } from './camera.ts';
import { runDemo } from './demo.ts';
import { DemoError } from './errors.ts';

const pixels = (description: string) =>
  ({ type: 'string', valueHint: 'PIXELS', description }) as const;

const args = {
  pictures: {
    type: 'positional',
    required: false,
    valueHint: 'FILE…',
    description: "Pictures besides the project's own",
  },
  out: {
    type: 'string',
    default: 'out',
    valueHint: 'FOLDER',
    description: 'Where the results go',
  },
  device: { type: 'string', description: 'auto (a hardware GPU, else the CPU), webgpu, cpu' },
  fov: {
    type: 'string',
    valueHint: 'DEGREES',
    description: 'Horizontal field of view of the pictures named (else 60 is assumed)',
  },
  fx: pixels('Or their focal length along x'),
  fy: pixels('and along y (else the same)'),
  cx: pixels('Their principal point from the left (else the centre)'),
  cy: pixels('and from the top'),
} as const satisfies ArgsDef;

/** `demo [FILE…]`: exit code 0, or 1 with one line that says what went wrong. */
export const demoCommand = defineCommand({
  meta: {
    name: 'demo',
    description: 'See pictures become depth maps, point clouds, masks and poses',
  },
  args,
  async run({ args: given }) {
    try {
      const unknown = Object.keys(given).find((name) => name !== '_' && !(name in args));
      if (unknown) throw new DemoError(`--${unknown} is not a flag of this command; see --help`);
      const flag = CAMERA_FLAGS.find((name) => given[name] !== undefined);
      if (flag && given._.length === 0) {
        throw new DemoError(
          `--${flag} is for pictures of yours, and none is named; the project's own has a known camera`,
        );
      }
      const { out, device } = given;
      await runDemo({ pictures: given._, camera: given, out, device }, console.log);
    } catch (error) {
      if (!isExpected(error)) throw error;
      console.error(`error: ${error.message}`);
      process.exitCode = 1;
    }
  },
});

/** What is not a fault of this program. */
function isExpected(error: unknown): error is Error {
  return [DemoError, ConfigError, MediaError, NoAnswerError, EngineError].some(
    (kind) => error instanceof kind,
  );
}
