import { publicError } from '../api/errors.ts';
import type { MaskFormat } from '../sam/prompt_schema.ts';
import type { StreamMessage } from './answers.ts';
import type { Propagation } from './propagation.ts';
import { describeFrame } from './respond.ts';

/** Told of failures that are ours. */
export type OnFailure = (error: unknown) => void;

/**
 * A propagation as messages: frames, then `complete`, or `error` for a failure on the way. Ends the
 * propagation, also when its reader leaves.
 */
export async function* messagesOf(
  propagation: Propagation,
  format: MaskFormat,
  onFailure: OnFailure,
): AsyncGenerator<StreamMessage, void, undefined> {
  const { size } = propagation;
  let total = 0;
  try {
    for await (const frame of propagation.frames()) {
      total++;
      yield { type: 'frame', ...(await describeFrame(frame, size, format)) };
    }
  } catch (error) {
    if (propagation.isCancelled) {
      yield { type: 'complete', total_frames: total, cancelled: true };
      return;
    }
    const { detail, isOurs } = publicError(error);
    if (isOurs) onFailure(error);
    yield { type: 'error', error: detail };
    return;
  } finally {
    propagation.end();
  }
  yield { type: 'complete', total_frames: total };
}

/** Messages as lines of JSON, made no faster than they are read. */
export function ndjson(
  messages: AsyncGenerator<StreamMessage, void, undefined>,
  onCancel: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  // Nothing is made before it is asked for.
  return new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await messages.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
}
