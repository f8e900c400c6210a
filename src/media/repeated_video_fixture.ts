/** A long video without a long file in the repository. */
import {
  ALL_FORMATS,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  FilePathSource,
  FilePathTarget,
  Input,
  Mp4OutputFormat,
  Output,
} from 'mediabunny';

/** Writes an MP4 of `repeats` times the frames of a video, which are not encoded anew. */
export async function writeRepeatedVideo(from: string, to: string, repeats: number): Promise<void> {
  const input = new Input({ source: new FilePathSource(from), formats: ALL_FORMATS });
  const track = await input.getPrimaryVideoTrack();
  if (!track?.codec) throw new Error(`${from} has no video track that can be copied`);
  const decoderConfig = (await track.getDecoderConfig()) ?? undefined;
  const seconds = await track.computeDuration();
  const packets = await Array.fromAsync(new EncodedPacketSink(track).packets());
  const output = new Output({ format: new Mp4OutputFormat(), target: new FilePathTarget(to) });
  const source = new EncodedVideoPacketSource(track.codec);
  output.addVideoTrack(source);
  await output.start();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const packet of packets) {
      const timestamp = packet.timestamp + repeat * seconds;
      await source.add(packet.clone({ timestamp, sequenceNumber: -1 }), { decoderConfig });
    }
  }
  await output.finalize();
  input.dispose();
}
