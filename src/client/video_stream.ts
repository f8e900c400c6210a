import type { MaskFormat } from '../sam/prompt_schema.ts';
import type { ClientOptions } from './connection.ts';
import { PropagationError } from './errors.ts';
import type { PropagationFields, TrackedFrame } from './video.ts';
import { FrameSocket } from './video_socket.ts';

/**
 * Follows the objects, frame by frame as they are done, over the WebSocket. It goes no faster than
 * the loop: the server waits while some frames lie here unread. Leaving the loop ends the propagation,
 * and waits until the session takes prompts again; aborting the signal breaks the connection.
 *
 * @param options `timeout` is how long one frame may take
 * @throws PropagationError when it is refused or fails on its way
 * @throws ApiError 401, 404, … when there is no connection to the session; NoAnswerError
 * @throws the signal's reason once it is aborted
 *
 * @example
 * for await (const { frame_index, objects } of propagateStream(session_id)) {
 *   console.log(frame_index, objects.map(({ id, score }) => `${id}: ${score}`));
 * }
 */
export async function* propagateStream<Format extends MaskFormat = 'rle'>(
  session: string,
  fields: PropagationFields<Format> = {},
  options: ClientOptions = {},
): AsyncGenerator<TrackedFrame<Format>, void, undefined> {
  const socket = await FrameSocket.open(session, options);
  try {
    socket.send(fields);
    for (;;) {
      const message = await socket.next();
      if (message.type === 'complete') return;
      if (message.type === 'error') throw new PropagationError(message.error);
      const { type: _, ...frame } = message;
      yield frame as TrackedFrame<Format>;
    }
  } finally {
    await socket.leave();
  }
}
