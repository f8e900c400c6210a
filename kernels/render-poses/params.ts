/** The uniforms of kernel.ts. */
export interface RenderPosesParams {
  readonly width: number;
  readonly height: number;
  readonly images: number;
  readonly faces: number;
  readonly texture_width: number;
  readonly texture_height: number;
  readonly colored: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly z_near: number;
  readonly z_far: number;
  readonly ambient: number;
  readonly diffuse: number;
}

/** The buffers of kernel.ts. */
export interface RenderPosesBuffers {
  readonly vertices: Float32Array;
  readonly indices: Uint32Array;
  readonly texels: Uint8Array;
  readonly poses: Float32Array;
  readonly windows: Float32Array;
  readonly rgb: Float32Array;
  readonly xyz: Float32Array;
}
