import { type CameraVertices, STRIDE } from './camera_vertices.ts';
import type { Coverage } from './coverage.ts';
import type { RenderPosesBuffers, RenderPosesParams } from './params.ts';
import { RayHit } from './ray_hit.ts';
import { TextureSampler } from './texture.ts';

/** Writes the crop `image` of xyz and rgb: what the ray of each pixel meets on its triangle. */
export function shadePixels(
  { ids, width, height }: Coverage,
  camera: CameraVertices,
  buffers: RenderPosesBuffers,
  window: Float32Array,
  image: number,
  params: RenderPosesParams,
): void {
  const { indices, rgb, xyz } = buffers;
  const { fx, fy, cx, cy } = params;
  const [left, top, right, bottom] = window;
  const base = image * width * height * 3;
  const painter = params.colored === 0 ? null : new Painter(buffers, camera.facing, params);
  const hit = new RayHit();
  xyz.fill(0, base, base + width * height * 3);
  if (painter) rgb.fill(0, base, base + width * height * 3);
  for (let row = 0, pixel = 0; row < height; row++) {
    const rayY = (top + ((row + 0.5) * (bottom - top)) / height - cy) / fy;
    for (let column = 0; column < width; column++, pixel++) {
      const id = ids[pixel];
      if (id === 0) continue;
      const rayX = (left + ((column + 0.5) * (right - left)) / width - cx) / fx;
      const a = indices[id * 3 - 3];
      const b = indices[id * 3 - 2];
      const c = indices[id * 3 - 1];
      hit.meet(camera.points, a, b, c, rayX, rayY);
      const out = base + pixel * 3;
      xyz[out] = hit.x;
      xyz[out + 1] = hit.y;
      xyz[out + 2] = hit.z;
      painter?.paint(hit, a, b, c, out);
    }
  }
}

/** Colours of hits. */
class Painter {
  private readonly vertices: Float32Array;
  private readonly rgb: Float32Array;
  private readonly sampler: TextureSampler | null;

  constructor(
    { vertices, rgb, texels }: RenderPosesBuffers,
    private readonly facing: Float32Array,
    private readonly params: RenderPosesParams,
  ) {
    this.vertices = vertices;
    this.rgb = rgb;
    const { texture_width, texture_height } = params;
    this.sampler =
      texture_width === 0 ? null : new TextureSampler(texels, texture_width, texture_height);
  }

  /** The triangle's look at a hit, lit, to three floats at `out`. */
  paint({ u, v }: RayHit, a: number, b: number, c: number, out: number): void {
    const { vertices, facing, rgb, sampler, params } = this;
    const rest = 1 - u - v;
    const facingHere = rest * facing[a] + u * facing[b] + v * facing[c];
    const light = params.ambient + params.diffuse * facingHere;
    const first = a * STRIDE + 6;
    const second = b * STRIDE + 6;
    const third = c * STRIDE + 6;
    const x = rest * vertices[first] + u * vertices[second] + v * vertices[third];
    const y = rest * vertices[first + 1] + u * vertices[second + 1] + v * vertices[third + 1];
    const z = rest * vertices[first + 2] + u * vertices[second + 2] + v * vertices[third + 2];
    if (sampler) {
      sampler.sample(x, y, light, rgb, out);
      return;
    }
    rgb[out] = Math.min(Math.max(x * light, 0), 1);
    rgb[out + 1] = Math.min(Math.max(y * light, 0), 1);
    rgb[out + 2] = Math.min(Math.max(z * light, 0), 1);
  }
}
