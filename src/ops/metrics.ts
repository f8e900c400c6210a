import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EnginePool } from '../engine/pool.ts';
import type { EngineStatus } from '../engine/protocol.ts';
import { ProcessUsage } from './process_usage.ts';

export interface MetricsParts {
  readonly pool: EnginePool;
  /** Open sessions, now. */
  sessions(): number;
}

/** A request that was answered. */
export interface Answered {
  readonly method: string;
  /** The route's pattern, such as `/pc`. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  /** Milliseconds by stage, as `Server-Timing` told them. */
  readonly stages: Readonly<Record<string, number>>;
}

const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const STAGE_SECONDS = [0.0005, 0.001, 0.0025, ...REQUEST_SECONDS];

/** What Prometheus is told; gauges are read when it asks. */
export class Metrics {
  private readonly registry = new Registry();
  private readonly requests: Histogram<'method' | 'route' | 'status'>;
  private readonly stages: Histogram<'route' | 'stage'>;

  constructor(private readonly parts: MetricsParts) {
    this.addProcess();
    this.addEngines();
    this.addFeatureCache();
    this.gauge('triptych_sessions', 'Open sessions', () => parts.sessions());
    this.gauge('triptych_session_bytes', 'What sessions hold on the devices', () =>
      this.sum('videoSessionBytes'),
    );
    this.requests = new Histogram({
      name: 'triptych_http_request_duration_seconds',
      help: 'From the request to its answer, by route pattern and status',
      labelNames: ['method', 'route', 'status'],
      buckets: REQUEST_SECONDS,
      registers: [this.registry],
    });
    this.stages = new Histogram({
      name: 'triptych_stage_duration_seconds',
      help: 'Stages of requests, as Server-Timing tells them, by route pattern',
      labelNames: ['route', 'stage'],
      buckets: STAGE_SECONDS,
      registers: [this.registry],
    });
  }

  answered({ method, route, status, ms, stages }: Answered): void {
    this.requests.observe({ method, route, status: String(status) }, ms / 1000);
    for (const [stage, stageMs] of Object.entries(stages)) {
      this.stages.observe({ route, stage }, stageMs / 1000);
    }
  }

  /** Prometheus' text format, version 0.0.4. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** The four documented names. */
  private addProcess(): void {
    const usage = new ProcessUsage();
    const held = (of: (status: EngineStatus) => number) => () => this.gpuBytes(of);
    this.gpuGauge(
      'sam3_gpu_memory_allocated_bytes',
      "In use by this process's tensors on the GPU, without the weights that onnxruntime holds; 0 without a hardware GPU",
      held(({ memory }) => memory.usedBytes),
    );
    this.gpuGauge(
      'sam3_gpu_memory_reserved_bytes',
      'The same and what is kept for the next tensors',
      held(({ memory }) => memory.usedBytes + memory.pooledBytes),
    );
    this.gauge(
      'sam3_cpu_usage_percent',
      "Of all processors' time, by this process since the last scrape",
      () => usage.cpuPercent(),
    );
    this.gauge(
      'sam3_memory_usage_percent',
      "This process's resident memory, of the machine's or the container's",
      () => usage.memoryPercent(),
    );
  }

  private addEngines(): void {
    const { pool } = this.parts;
    this.gauge('triptych_queue_length', 'Requests that wait for an engine', () => pool.queueLength);
    this.gauge('triptych_engines', 'Engine workers', () => pool.statuses().length);
    this.gauge(
      'triptych_engines_ready',
      'Engine workers that have started and not been lost',
      () => this.statuses().length,
    );
    this.gauge(
      'triptych_open_models',
      'Graphs that are open, over all engines',
      () => this.statuses().flatMap(({ modelsLoaded }) => modelsLoaded).length,
    );
  }

  private addFeatureCache(): void {
    const sum = (figure: string) => () => this.sum(figure);
    this.gauge(
      'triptych_feature_cache_bytes',
      'Features kept on the devices, for the next prompt on their pictures',
      sum('featureCacheBytes'),
    );
    this.gauge(
      'triptych_feature_cache_entries',
      'Pictures whose features are kept, by model',
      sum('featureCacheEntries'),
    );
    this.counter(
      'triptych_feature_cache_hits_total',
      'Tasks that found the features of their picture',
      sum('featureCacheHits'),
    );
    this.counter(
      'triptych_feature_cache_misses_total',
      'Tasks that had to encode their picture',
      sum('featureCacheMisses'),
    );
  }

  /** Of a figure over all engines. */
  private sum(figure: string): number {
    return this.statuses().reduce((total, { figures }) => total + (figures[figure] ?? 0), 0);
  }

  private statuses(): EngineStatus[] {
    return this.parts.pool.statuses().filter((status) => status !== null);
  }

  private gpuBytes(of: (status: EngineStatus) => number): number {
    return this.statuses()
      .filter(({ device }) => device.kind === 'webgpu' && !device.software)
      .reduce((sum, status) => sum + of(status), 0);
  }

  private gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** All engines drive the first GPU. */
  private gpuGauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      labelNames: ['gpu'],
      registers: [this.registry],
      collect() {
        this.set({ gpu: '0' }, read());
      },
    });
  }

  /** What engines count from their start; one that is replaced starts again, as counters may. */
  private counter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}
