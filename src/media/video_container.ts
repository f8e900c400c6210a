import { readSync } from 'node:fs';
import {
  CustomSource,
  EncodedPacketSink,
  Input,
  type InputVideoTrack,
  Logging,
  LogLevel,
  MATROSKA,
  MP4,
  QTFF,
  WEBM,
} from 'mediabunny';
import { MediaError } from './errors.ts';
import { describeBytes, sniffImageFormat } from './image_format.ts';
import { EXPECTED_VIDEO, isDecodable } from './video_codecs.ts';
import type { TrackInfo } from './video_demux_protocol.ts';
import type { VideoInfo } from './video_frames.ts';

Logging.level = LogLevel.Silent;

const CONTAINERS: Readonly<Record<string, VideoInfo['container']>> = {
  [MP4.name]: 'mp4',
  [QTFF.name]: 'mov',
  [WEBM.name]: 'webm',
  [MATROSKA.name]: 'mkv',
};

const BYTES_KEPT = 8 << 20;

/** The video track of a file, found and described; nothing of it is decoded. */
export interface VideoTrack {
  readonly info: TrackInfo;
  readonly sink: EncodedPacketSink;
  close(): void;
}

/**
 * Reads the head of a video file. Containers are parsed in TypeScript, by mediabunny: a hostile file
 * can't reach into memory, but it may keep the parser busy for ever. So this runs in a thread that
 * can be ended.
 *
 * @throws {MediaError} 422 for a file that is no video, has no video track, or one in another codec
 */
export async function openContainer(fd: number, size: number, field: string): Promise<VideoTrack> {
  const read = (start: number, end: number) => {
    const bytes = new Uint8Array(end - start);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start));
  };
  const source = new CustomSource({
    getSize: () => size,
    read,
    maxCacheSize: BYTES_KEPT,
    prefetchProfile: 'fileSystem',
  });
  const input = new Input({ source, formats: [MP4, QTFF, WEBM, MATROSKA] });
  // On a few bytes of something else the parser may fail rather than say no.
  if (!(await input.canRead().catch(() => false))) {
    throw notAVideo(read(0, Math.min(size, 64)), size, field);
  }
  const track = await input.getPrimaryVideoTrack();
  if (!track) throw new MediaError(422, `${field} has no video track.`, field);
  const info = await describe(input, track, field);
  return { info, sink: new EncodedPacketSink(track), close: () => input.dispose() };
}

async function describe(input: Input, track: InputVideoTrack, field: string): Promise<TrackInfo> {
  const codec = await track.getCodec();
  if (!isDecodable(codec)) {
    const given = codec ?? (await track.getInternalCodecId()) ?? 'an unknown codec';
    const name = typeof given === 'string' ? JSON.stringify(given.slice(0, 32)) : 'unknown';
    throw new MediaError(422, `${field} is coded with ${name}; expected ${EXPECTED_VIDEO}.`, field);
  }
  const config = await track.getDecoderConfig();
  const colour = await track.getColorSpace();
  return {
    container: CONTAINERS[(await input.getFormat()).name],
    codec,
    description: config?.description ? bytesOf(config.description) : undefined,
    presentation: {
      width: await track.getCodedWidth(),
      height: await track.getCodedHeight(),
      rotation: await track.getRotation(),
      flip: await track.getFlip(),
      matrix: colour.matrix,
      fullRange: colour.fullRange,
    },
  };
}

function notAVideo(head: Uint8Array, size: number, field: string): MediaError {
  const image = sniffImageFormat(head);
  const given = image ? `a ${image} image` : describeBytes(head);
  const what = /^\d+ bytes/.test(given) ? `${size} bytes of an unknown type` : given;
  return new MediaError(422, `${field} is ${what}; expected ${EXPECTED_VIDEO}.`, field);
}

function bytesOf(source: ArrayBufferView | ArrayBuffer | SharedArrayBuffer): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}
