import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { swagger } from '@elysiajs/swagger';
import { Elysia } from 'elysia';
import { HttpError } from './errors.ts';
import { adaptOpenApi } from './openapi.ts';

/**
 * Interactive docs at `/docs`, the OpenAPI file at `/docs/json`.
 *
 * The page's scripts come from this server, because robots and workshops are often offline;
 * `@elysiajs/swagger`'s own page, at `/docs/scalar`, loads them from a CDN.
 */
export function docs(version: string) {
  return new Elysia({ name: 'docs' })
    .onAfterHandle(({ path, responseValue }) =>
      path === '/docs/json' ? adaptOpenApi(responseValue) : undefined,
    )
    .use(openApi(version))
    .get('/docs', () => new Response(PAGE, { headers: { 'Content-Type': 'text/html' } }), HIDDEN)
    .get('/docs/ui/:file', ({ params }) => uiFile(params.file), HIDDEN);
}

const HIDDEN = { detail: { hide: true } };

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Triptych API</title>
    <link rel="stylesheet" href="/docs/ui/swagger-ui.css">
  </head>
  <body>
    <div id="ui"></div>
    <script src="/docs/ui/swagger-ui-bundle.js"></script>
    <script>SwaggerUIBundle({ url: '/docs/json', dom_id: '#ui', deepLinking: true });</script>
  </body>
</html>
`;

const UI_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js'];

function uiFile(name: string): Response {
  if (!UI_FILES.includes(name)) throw new HttpError(404, 'Not Found');
  const require = createRequire(import.meta.url);
  return new Response(
    Bun.file(join(dirname(require.resolve('swagger-ui-dist/package.json')), name)),
  );
}

function openApi(version: string) {
  return swagger({
    path: '/docs/scalar',
    specPath: '/docs/json',
    documentation: {
      info: {
        title: 'Triptych',
        version,
        description:
          'Depth, segmentation and 6-D object pose. Errors are {"detail": …}. Lengths are metres; images are row-major from the top left; camera frames are those of OpenCV (x right, y down, z forward).',
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'When the server has API keys' },
        },
      },
      security: [{ bearer: [] }, {}],
      tags: [
        { name: 'depth', description: 'Depth maps and point clouds (Depth Anything V2)' },
        { name: 'segmentation', description: 'Masks by texts, boxes and points (SAM 3)' },
        {
          name: 'pose',
          description: 'Poses of objects from colour, depth and a mesh (FoundationPose)',
        },
        { name: 'video', description: 'Objects followed through video (SAM 3)' },
        { name: 'health', description: 'State of the server' },
      ],
    },
  });
}
