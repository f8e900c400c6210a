import { HttpError } from '../api/errors.ts';
import type { EnginePool } from '../engine/pool.ts';
import type { VideoInfo } from '../media/video_frames.ts';
import { loadVideo, type VideoSource, type VideoSourceOptions } from '../media/video_source.ts';
import { UploadSpace } from '../media/video_upload.ts';
import { ModelError } from '../models/errors.ts';
import { type FoundSegmentModel, preferredDevice, type SegmentModels } from '../sam/models.ts';
import { VideoSession } from './session.ts';
import type { SessionEngine } from './session_engine.ts';

export interface ResourceOptions {
  readonly pool: EnginePool;
  readonly models: SegmentModels;
  readonly source: Omit<VideoSourceOptions, 'uploads' | 'signal'>;
  /** Where uploaded files lie until their session is closed. */
  readonly uploadFolder: string;
  /** Of all of them together. */
  readonly uploadBytes: number;
}

/** Pixels a side, as for pictures: positions must fit the kernels' 32-bit numbers. */
const MAX_SIDE = 16_384;

/** What sessions hold, a file, a decoder and memory on a device: opened and freed together. */
export class SessionResources {
  private uploads: Promise<UploadSpace> | null = null;

  constructor(
    private readonly options: ResourceOptions,
    private readonly engines: SessionEngine,
  ) {}

  /**
   * The model that follows objects.
   *
   * @throws ModelNotInstalledError; HttpError 422 for a model that is none, or cannot
   */
  findModel(model: string | undefined): FoundSegmentModel {
    const { models, pool } = this.options;
    try {
      return models.findForVideo(model, preferredDevice(pool));
    } catch (error) {
      const isAskedWrongly =
        error instanceof ModelError && ['unknown-model', 'usage'].includes(error.code);
      throw isAskedWrongly ? new HttpError(422, `model: ${error.message}`) : error;
    }
  }

  /**
   * A session of a video that is opened here and in an engine; nothing stays behind where that fails.
   *
   * @throws MediaError for a bad video; HttpError 422 for one that is too wide; EngineError
   */
  async open(
    id: string,
    source: VideoSource,
    model: FoundSegmentModel,
    signal?: AbortSignal,
  ): Promise<VideoSession> {
    const { uploadFolder, uploadBytes, source: limits } = this.options;
    this.uploads ??= UploadSpace.open(uploadFolder, uploadBytes);
    this.uploads.catch(() => {
      this.uploads = null;
    });
    const video = await loadVideo(source, { ...limits, uploads: await this.uploads, signal });
    const session = new VideoSession({ id, video, model });
    try {
      requireSides(video.info);
      const frames = video.info.totalFrames;
      await this.engines.run(session, { type: 'open', model: model.model, frames });
      // Nobody would know of it.
      signal?.throwIfAborted();
      return session;
    } catch (error) {
      await this.free(session);
      throw error;
    }
  }

  /** Frees the file and the device's memory, also where one of them fails. */
  async free(session: VideoSession): Promise<number> {
    session.closing.abort(new HttpError(404, `session ${session.id} was closed`));
    const [freed] = await Promise.all([this.engines.free(session), session.video.close()]);
    return freed;
  }

  /** Removes all uploaded files. */
  async close(): Promise<void> {
    await (await this.uploads)?.close();
  }
}

function requireSides({ width, height }: VideoInfo): void {
  if (Math.max(width, height) <= MAX_SIDE) return;
  throw new HttpError(
    422,
    `the video is ${width}x${height}; at most ${MAX_SIDE} pixels a side are taken: scale it down`,
  );
}
