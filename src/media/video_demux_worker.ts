/** The program of a demuxing thread: one file at a time. */
import type { EncodedPacket } from 'mediabunny';
import { MediaError } from './errors.ts';
import { openContainer, type VideoTrack } from './video_container.ts';
import type {
  DemuxCalls,
  DemuxName,
  FromDemuxer,
  Packet,
  PacketBatch,
  ToDemuxer,
} from './video_demux_protocol.ts';
import { FrameIndex } from './video_index.ts';
import { unreadable } from './video_unreadable.ts';

declare const self: Worker;

/** Packets of an answer, unless they are large. */
const BATCH_PACKETS = 16;
const BATCH_BYTES = 1 << 20;

let track: VideoTrack | null = null;
let field = 'video';
const readings = new Map<number, AsyncGenerator<EncodedPacket, void, unknown>>();

type Answers = {
  readonly [Name in DemuxName]: (
    ask: DemuxCalls[Name]['ask'],
  ) => Promise<DemuxCalls[Name]['answer']>;
};

const ANSWERS: Answers = {
  open: async (ask) => {
    field = ask.field;
    track = await openContainer(ask.fd, ask.size, field);
    const heads = track.sink.packets(undefined, undefined, { metadataOnly: true });
    const { tables } = await FrameIndex.from(heads, ask.limits, field);
    return { track: track.info, tables };
  },
  begin: async ({ reading, seconds }) => {
    const { sink } = opened();
    const key =
      seconds === null ? null : await sink.getKeyPacket(seconds, { verifyKeyPackets: true });
    readings.set(reading, sink.packets(key ?? undefined));
    return { timestamp: key?.timestamp ?? null };
  },
  next: ({ reading }) => batch(readings.get(reading)),
  end: async ({ reading }) => {
    await readings.get(reading)?.return();
    readings.delete(reading);
    return null;
  },
  forget: async () => {
    for (const reading of readings.values()) await reading.return();
    readings.clear();
    track?.close();
    track = null;
    return null;
  },
};

function opened(): VideoTrack {
  if (!track) throw new Error('the file is not open');
  return track;
}

async function batch(
  source: AsyncGenerator<EncodedPacket, void, unknown> | undefined,
): Promise<PacketBatch> {
  const packets: Packet[] = [];
  let bytes = 0;
  while (packets.length < BATCH_PACKETS && bytes < BATCH_BYTES) {
    const next = await source?.next();
    if (!next || next.done) return { packets, isLast: true };
    const { data, timestamp, type } = next.value;
    // A view would take the whole buffer that it looks into along.
    packets.push({ data: data.slice(), timestamp, isKey: type === 'key' });
    bytes += data.byteLength;
  }
  return { packets, isLast: false };
}

async function answer<Name extends DemuxName>(message: ToDemuxer<Name>): Promise<FromDemuxer> {
  const { id, name, ask } = message;
  try {
    return { id, answer: await ANSWERS[name](ask) };
  } catch (cause) {
    const error = unreadable(cause, field);
    const status = error instanceof MediaError ? error.status : null;
    return { id, status, message: error instanceof Error ? error.message : String(error) };
  }
}

self.onmessage = async ({ data }: MessageEvent<ToDemuxer>) => {
  self.postMessage(await answer(data));
};
