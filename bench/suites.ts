import type { BenchContext, BenchDevice } from './measurement.ts';

/** A group of cases, measured in a process of its own on each of its devices. */
export interface Suite {
  readonly name: string;
  readonly devices: readonly BenchDevice[];
  /** Left out unless a filter is its name. */
  readonly onlyNamed?: boolean;
  /** Loaded late: Dawn's null backend shares its process with nothing. */
  load(): Promise<{ run(context: BenchContext): Promise<void> }>;
}

export const SUITES: readonly Suite[] = [
  {
    name: 'kernels',
    devices: ['cpu', 'webgpu', 'software'],
    load: () => import('./suites/kernels.ts'),
  },
  { name: 'media', devices: ['cpu'], load: () => import('./suites/media.ts') },
  { name: 'masks', devices: ['cpu'], load: () => import('./suites/masks.ts') },
  { name: 'track', devices: ['cpu', 'webgpu'], load: () => import('./suites/track.ts') },
  { name: 'pose', devices: ['cpu', 'webgpu'], load: () => import('./suites/pose.ts') },
  { name: 'video', devices: ['cpu'], load: () => import('./suites/video.ts') },
  { name: 'queue', devices: ['cpu'], load: () => import('./suites/queue.ts') },
  {
    name: 'models',
    devices: ['cpu', 'webgpu', 'software'],
    load: () => import('./suites/models.ts'),
  },
  { name: 'depth', devices: ['cpu', 'webgpu'], load: () => import('./suites/depth.ts') },
  { name: 'capture', devices: ['null'], load: () => import('./suites/capture.ts') },
  { name: 'request', devices: ['cpu', 'webgpu'], load: () => import('./suites/request.ts') },
  { name: 'segment', devices: ['cpu', 'webgpu'], load: () => import('./suites/segment.ts') },
  { name: 'health', devices: ['cpu', 'webgpu'], load: () => import('./suites/health.ts') },
  { name: 'sessions', devices: ['cpu', 'webgpu'], load: () => import('./suites/sessions.ts') },
  {
    name: 'session-memory',
    devices: ['cpu', 'webgpu'],
    onlyNamed: true,
    load: () => import('./suites/session_memory.ts'),
  },
  { name: 'memory', devices: ['cpu', 'webgpu'], load: () => import('./suites/memory.ts') },
  {
    name: 'cached-features',
    devices: ['cpu', 'webgpu'],
    onlyNamed: true,
    load: () => import('./suites/cached_features.ts'),
  },
  {
    name: 'load',
    devices: ['cpu', 'webgpu'],
    onlyNamed: true,
    load: () => import('./suites/load.ts'),
  },
];
