import { Elysia } from 'elysia';
import { HttpError } from '../api/errors.ts';
import { documentation } from '../api/schema.ts';
import type { VisualizationStore } from './visualizations.ts';

const PATH = '/api/v1/image/visualization';

/**
 * `GET /api/v1/image/visualization/{name}.png`, without a key: a page's `<img>` sends none. The name
 * has 128 random bits and is told to the requester alone: whoever has the URL may see the picture.
 */
export function visualizationRoutes(store: VisualizationStore) {
  return new Elysia({ name: 'visualizations', tags: ['segmentation'] }).get(
    `${PATH}/:file`,
    ({ params }) => {
      const found = store.find(params.file.replace(/\.png$/, ''));
      if (!found) {
        throw new HttpError(404, 'there is no such picture, or its time is over: segment again');
      }
      return new Response(found.png as Uint8Array<ArrayBuffer>, {
        headers: {
          'Content-Type': 'image/png',
          'Cache-Control': `private, max-age=${Math.floor(found.leftMs / 1000)}`,
        },
      });
    },
    {
      detail: documentation({
        summary: 'Picture of an answer',
        description:
          'The picture that visualization_url names, until it expires. Needs no key: the name cannot be guessed.',
        forms: { 'image/png': 'The picture with masks, outlines, labels and scores drawn over it' },
        errors: { 404: 'No such picture, or its time is over' },
      }),
    },
  );
}

/**
 * Where the picture of a name is, for the client that sent this request: behind a proxy, by what the
 * proxy says. A path alone where the request names no host that a URL can have.
 */
export function visualizationUrl(name: string, { url, headers }: Request): string {
  const path = `${PATH}/${name}.png`;
  const own = URL.canParse(url) ? new URL(url) : null;
  const scheme = firstOf(headers.get('x-forwarded-proto')) ?? own?.protocol.replace(':', '');
  const host = firstOf(headers.get('x-forwarded-host')) ?? own?.host;
  const base = `${scheme}://${host}`;
  const isPlain = /^https?:\/\/[\w.:[\]-]+$/i.test(base) && URL.canParse(base);
  return isPlain ? new URL(path, base).href : path;
}

/** Each proxy on the way may have added its own. */
function firstOf(header: string | null): string | null {
  return header?.split(',')[0].trim() || null;
}
