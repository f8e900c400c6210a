/** The codecs that are decoded: mediabunny's names and ours. */
export const CODEC_NAMES = { avc: 'h264', hevc: 'h265', vp9: 'vp9', av1: 'av1' } as const;

export type DecodableCodec = keyof typeof CODEC_NAMES;

export const isDecodable = (codec: string | null): codec is DecodableCodec =>
  codec !== null && Object.hasOwn(CODEC_NAMES, codec);

/** For error messages. */
export const EXPECTED_VIDEO = 'an MP4, MOV, WebM or MKV video with H.264, H.265, VP9 or AV1';
