import { cpus } from 'node:os';
import type { Backend } from '../src/compute/backend.ts';
import { openCpuBackend } from '../src/compute/cpu/backend.ts';
import { openWebGpuBackend } from '../src/compute/webgpu/backend.ts';
import { findVulkanDriver } from '../src/compute/webgpu/driver.ts';
import type { BenchDevice } from './measurement.ts';

/** Opens a device by its name in the bench; GPU timestamps where it has them and they are asked for. */
export async function openForBench(
  device: BenchDevice,
  options: { readonly timestamps?: boolean } = {},
): Promise<Backend> {
  if (device === 'cpu') return openCpuBackend();
  if (device !== 'webgpu') return openWebGpuBackend(device, options);
  // Asked first, because Dawn warns at length where there is none.
  if (!findVulkanDriver()) throw new Error('no Vulkan driver is installed');
  return openWebGpuBackend('hardware', options);
}

/** The processor; where models do not run on the library that is built for it, that too. */
function describeProcessor(): string {
  const all = cpus();
  const name = `${all[0]?.model.trim() ?? process.arch} ${all.length} threads`;
  const runtime = process.env.TRIPTYCH_BENCH_CPU_RUNTIME;
  return runtime ? `${name}; models on ${runtime}` : name;
}

/**
 * What a device computes on.
 *
 * @throws when it cannot be opened, with the reason
 */
export async function describeHardware(device: BenchDevice): Promise<string> {
  if (device === 'cpu') return describeProcessor();
  const backend = await openForBench(device);
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  const parts = [adapter?.info.device, adapter?.info.description].filter(Boolean);
  await backend.dispose();
  return [...new Set(parts)].join(' ').replaceAll(',', ' ') || backend.info.name;
}
