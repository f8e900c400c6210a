/** Where the ray (x, y, 1) from the camera meets a triangle; one object for many rays. */
export class RayHit {
  /** Weights of the triangle's second and third corner. */
  u = 0;
  v = 0;
  /** Camera frame, metres. */
  x = 0;
  y = 0;
  z = 0;

  /**
   * By Möller and Trumbore (1997), from where the ray is as far as the first corner. A triangle
   * covers pixels a little outside of it, as its corners are rounded to subpixels: such a ray meets
   * its border.
   *
   * @param points float32 [V, 3], camera frame
   */
  meet(points: Float32Array, a: number, b: number, c: number, rayX: number, rayY: number): void {
    const ax = points[a * 3];
    const ay = points[a * 3 + 1];
    const az = points[a * 3 + 2];
    const bx = points[b * 3] - ax;
    const by = points[b * 3 + 1] - ay;
    const bz = points[b * 3 + 2] - az;
    const cx = points[c * 3] - ax;
    const cy = points[c * 3 + 1] - ay;
    const cz = points[c * 3 + 2] - az;
    const fromX = rayX * az - ax;
    const fromY = rayY * az - ay;
    const nx = rayY * cz - cy;
    const ny = cx - rayX * cz;
    const volume = bx * nx + by * ny + bz * (rayX * cy - rayY * cx);
    const scale = volume === 0 ? 0 : 1 / volume;
    const u = Math.max((fromX * nx + fromY * ny) * scale, 0);
    const turned = bz * (rayX * fromY - rayY * fromX) + fromX * by - fromY * bx;
    const v = Math.max(turned * scale, 0);
    const sum = Math.max(1, u + v);
    this.u = u / sum;
    this.v = v / sum;
    this.x = ax + this.u * bx + this.v * cx;
    this.y = ay + this.u * by + this.v * cy;
    this.z = az + this.u * bz + this.v * cz;
  }
}
