import { swagger } from '@elysiajs/swagger';

/** Interactive docs at `/docs`, the OpenAPI file at `/docs/json`. */
export function docs(version: string) {
  return swagger({
    path: '/docs',
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
        { name: 'health', description: 'State of the server' },
      ],
    },
  });
}
