import { giveWay } from '../media/give_way.ts';
import type { MaskFormat } from '../sam/prompt_schema.ts';
import type { PropagateAnswer } from './answers.ts';
import type { Propagation } from './propagation.ts';
import { describeFrame } from './respond.ts';

/**
 * All frames of a propagation in one answer, `PropagateAnswer` as JSON. It is kept and sent in pieces, a
 * frame each: written at once, that of a long video would keep all others waiting.
 */
export async function collectFrames(
  propagation: Propagation,
  format: MaskFormat,
): Promise<ReadableStream<Uint8Array>> {
  const { id, size } = propagation;
  const started = performance.now();
  const frames: string[] = [];
  for await (const frame of propagation.settledFrames()) {
    const described = await describeFrame(frame, size, format);
    frames.push(`${frames.length > 0 ? ',' : ''}"${frame.index}":${JSON.stringify(described)}`);
  }
  const end: Omit<PropagateAnswer, 'session_id' | 'results'> = {
    total_frames: frames.length,
    processing_time_ms: Math.round((performance.now() - started) * 100) / 100,
  };
  const head = `{"session_id":${JSON.stringify(id)},"results":{`;
  return textStream([head, ...frames, `},${JSON.stringify(end).slice(1)}`]);
}

function textStream(pieces: readonly string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const rest = pieces.values();
  return new ReadableStream({
    pull: async (controller) => {
      await giveWay();
      const { done, value } = rest.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
}
