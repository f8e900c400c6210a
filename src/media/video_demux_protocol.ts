import type { DecodableCodec } from './video_codecs.ts';
import type { VideoInfo, VideoLimits } from './video_frames.ts';
import type { IndexTables } from './video_index.ts';
import type { Presentation } from './video_rgb.ts';

/** A video track, described. */
export interface TrackInfo {
  readonly container: VideoInfo['container'];
  readonly codec: DecodableCodec;
  /** avcC, hvcC; absent where packets carry their parameter sets. */
  readonly description?: Uint8Array;
  readonly presentation: Presentation;
}

/** A coded frame. */
export interface Packet {
  readonly data: Uint8Array;
  /** Seconds. */
  readonly timestamp: number;
  readonly isKey: boolean;
}

export interface PacketBatch {
  readonly packets: readonly Packet[];
  /** Nothing comes after these. */
  readonly isLast: boolean;
}

/** What the demuxing thread is asked, each with the answer that it gives. */
export interface DemuxCalls {
  /** Reads the head of a file that stays open, and indexes it. */
  open: {
    readonly ask: {
      readonly fd: number;
      readonly size: number;
      readonly field: string;
      readonly limits: VideoLimits;
    };
    readonly answer: { readonly track: TrackInfo; readonly tables: IndexTables };
  };
  /**
   * Begins a reading at the key packet that is shown at a time, or an earlier one where its data
   * shows that it is none; at the first packet where there is no such, or `seconds` is null.
   */
  begin: {
    readonly ask: { readonly reading: number; readonly seconds: number | null };
    /** The key packet's time; null for the first packet. */
    readonly answer: { readonly timestamp: number | null };
  };
  next: { readonly ask: { readonly reading: number }; readonly answer: PacketBatch };
  end: { readonly ask: { readonly reading: number }; readonly answer: null };
  /** Lets the file go. */
  forget: { readonly ask: null; readonly answer: null };
}

export type DemuxName = keyof DemuxCalls;

export interface ToDemuxer<Name extends DemuxName = DemuxName> {
  readonly id: number;
  readonly name: Name;
  readonly ask: DemuxCalls[Name]['ask'];
}

/** An answer, or why there is none; `status` for what is the caller's fault. */
export type FromDemuxer =
  | { readonly id: number; readonly answer: DemuxCalls[DemuxName]['answer'] }
  | { readonly id: number; readonly status: number | null; readonly message: string };
