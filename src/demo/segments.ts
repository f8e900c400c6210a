import { join } from 'node:path';
import { ApiError, type Segmented, segmentImage, serverStages } from '../client/index.ts';
import { DemoError } from './errors.ts';
import { save } from './results.ts';
import type { Scene, SceneAsk } from './scene.ts';
import { Stages } from './stages.ts';

/** What came of one thing that was asked. */
export interface SegmentShown {
  readonly ask: SceneAsk;
  readonly answer: Segmented;
  readonly stages: Stages;
  /** The picture with the masks drawn over it. */
  readonly path: string;
}

/**
 * Asks for each thing in turn, so that the scene is encoded once, and writes `segment-click.png`,
 * `segment-box.png` and `segment-text.png`.
 *
 * @throws DemoError, NoAnswerError
 */
export async function showSegments(
  scene: Scene,
  baseUrl: URL,
  folder: string,
): Promise<SegmentShown[]> {
  const shown: SegmentShown[] = [];
  for (const ask of scene.asks) {
    const stages = new Stages();
    const answer = await segment(scene, ask, baseUrl, stages);
    const path = join(folder, `segment-${ask.name}.png`);
    await stages.time('demo', 'fetch and write the overlay', async () =>
      save(path, await fetchOverlay(answer)),
    );
    shown.push({ ask, answer, stages, path });
  }
  return shown;
}

async function segment(
  scene: Scene,
  { fields }: SceneAsk,
  baseUrl: URL,
  stages: Stages,
): Promise<Segmented> {
  const started = performance.now();
  let inServer = serverStages(new Headers());
  const onHeaders = (headers: Headers) => {
    inServer = serverStages(headers);
  };
  const answer = await segmentImage(
    { image: scene.file, ...fields, return_visualization: true },
    { baseUrl, onHeaders },
  ).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    throw new DemoError(`${scene.path}: ${error.detail}`, { cause: error });
  });
  stages.addRoundTrip(inServer, performance.now() - started);
  return answer;
}

async function fetchOverlay({ visualization_url: url }: Segmented): Promise<Uint8Array> {
  const response = await fetch(url ?? '');
  if (response.ok) return response.bytes();
  throw new DemoError(`${url} answered with ${response.status}`);
}
