import type { Backend } from '../../compute/backend.ts';
import type { PoseMethod } from '../method.ts';
import { registerGeometric } from './register.ts';
import { ShapeCache } from './shape_cache.ts';
import { trackGeometric } from './track.ts';

/**
 * Poses from shape alone, without a network: what a mesh looks like at a pose is held against the
 * depth. It cannot tell poses apart that differ by colour alone, and is least sure of flat and nearly
 * symmetric shapes: poses of them that are wrong can agree with nearly as many pixels as the right one.
 *
 * How sure it is shows in the second distinct pose: where that scores nearly as much (within 0.05), the
 * two explain the depth alike, and either may be the true one. `bun bench pose` counts how often.
 *
 * `iterations` is unread: hypotheses become fewer as pictures become finer, by a schedule of its own.
 */
export function geometricMethod(backend: Backend): PoseMethod {
  const shapes = new ShapeCache();
  return {
    name: 'geometric',
    register: async (object, frame, mask, { topK = 1 } = {}) =>
      registerGeometric(backend, shapes.of(object), { ...frame, mask }, topK),
    track: async (object, frame, last) => trackGeometric(backend, shapes.of(object), frame, last),
  };
}
