import { extname } from 'node:path';
import { type ArgsDef, defineCommand, type ParsedArgs } from 'citty';
import {
  CONNECTION_ARGS,
  connect,
  existing,
  reportErrors,
  UsageError,
} from './example_connection.ts';
import { numbers } from './example_numbers.ts';
import { PROMPT_ARGS, promptFields } from './example_prompts.ts';
import {
  addPrompts,
  type ClientOptions,
  closeSession,
  decodeMask,
  type PropagationFields,
  propagateStream,
  type StartAnswer,
  startSession,
  type TrackedFrame,
} from './index.ts';

const args = {
  video: { type: 'positional', required: true, description: 'The video', valueHint: 'FILE' },
  ...PROMPT_ARGS,
  frame: {
    type: 'string',
    valueHint: 'INDEX',
    default: '0',
    description: 'The frame that is prompted, from 0; the objects are followed from there',
  },
  direction: {
    type: 'string',
    default: 'both',
    description: 'forward, backward or both',
  },
  'max-frames': { type: 'string', valueHint: 'COUNT', description: 'In each direction at most' },
  'track-new': { type: 'boolean', description: 'Follow what --text finds on later frames too' },
  out: {
    type: 'string',
    required: true,
    valueHint: 'FILE',
    description: '.jsonl: a line a frame, written as it comes',
  },
  ...CONNECTION_ARGS,
} as const satisfies ArgsDef;

type Arguments = ParsedArgs<typeof args>;

export const videoExample = defineCommand({
  meta: { name: 'video', description: 'Follow objects through a video by text, box or click' },
  args,
  run: ({ args: given }) => reportErrors(() => follow(given.out, given)),
});

async function follow(out: string, given: Arguments): Promise<void> {
  if (extname(out).toLowerCase() !== '.jsonl') {
    throw new UsageError(`--out ${out}: expected a name that ends in .jsonl`);
  }
  const wanted = propagation(given);
  const prompted = { ...promptFields(given), frame_index: wanted.start_frame_index };
  const video = await existing(given.video);
  const options = await connect(given);
  const started = await startSession({ video }, options);
  const { session_id: session } = started;
  try {
    const { obj_id: ids } = await addPrompts(session, prompted, options);
    console.log(describe(started, ids));
    if (ids.length === 0 && !wanted.track_new) {
      throw new UsageError(`nothing was found on frame ${given.frame}`);
    }
    await write(out, started, wanted, options);
  } finally {
    await closeSession(session, options);
  }
  console.log(`wrote ${out}`);
}

function propagation(given: Arguments): PropagationFields & { start_frame_index: number } {
  const { frame, direction, 'max-frames': most, 'track-new': trackNew } = given;
  return {
    start_frame_index: numbers('frame', frame, 1)[0],
    // The server says which words it takes.
    direction: direction as PropagationFields['direction'],
    ...(most !== undefined && { max_frames: numbers('max-frames', most, 1)[0] }),
    ...(trackNew && { track_new: true }),
  };
}

/** Frames as they come; leaving this loop would end the propagation. */
async function write(
  out: string,
  { session_id: session, video_info }: StartAnswer,
  wanted: PropagationFields,
  options: ClientOptions,
): Promise<void> {
  const file = Bun.file(out).writer();
  try {
    for await (const frame of propagateStream(session, wanted, options)) {
      file.write(`${JSON.stringify(frame)}\n`);
      console.log(line(frame, video_info.resolution));
    }
  } finally {
    await file.end();
  }
}

function describe({ video_info, model }: StartAnswer, ids: readonly number[]): string {
  const { total_frames, fps, resolution, codec } = video_info;
  const size = `${resolution.width}x${resolution.height}`;
  return [
    `${total_frames} frames of ${size} at ${fps.toFixed(2)} fps, ${codec}`,
    `${ids.length} found by ${model}${ids.length > 0 ? `: ${ids.join(', ')}` : ''}`,
  ].join('\n');
}

/** A line a frame: each object's pixels. */
function line(
  { frame_index, objects }: TrackedFrame,
  size: StartAnswer['video_info']['resolution'],
): string {
  const shown = objects.map(({ id, mask, score, present }) => {
    if (!present) return `${id} out of sight`;
    const pixels = decodeMask(mask, size).reduce((sum, inside) => sum + inside, 0);
    return `${id} ${pixels} pixels (${score.toFixed(2)})`;
  });
  return `${frame_index}: ${shown.join(', ')}`;
}
