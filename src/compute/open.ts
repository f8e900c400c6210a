import type { Backend, DeviceChoice } from './backend.ts';
import { openCpuBackend } from './cpu/backend.ts';

/**
 * Opens the backend a user asked for.
 *
 * `auto` takes a hardware GPU where there is one, else the CPU; a software adapter is used only
 * when asked for by name, and Dawn's null adapter never.
 */
export async function openBackend(choice: DeviceChoice, threads?: number): Promise<Backend> {
  if (choice === 'cpu') return openCpuBackend(threads);
  // Loaded late: the CPU backend needs neither Dawn nor the WebAssembly runtime.
  const { openWebGpuBackend } = await import('./webgpu/backend.ts');
  if (choice === 'software') return openWebGpuBackend('software');
  const { findVulkanDriver } = await import('./webgpu/driver.ts');
  const found = findVulkanDriver();
  if (choice === 'webgpu') return openWebGpuBackend('hardware');
  if (!found) return openCpuBackend(threads, 'no Vulkan driver is installed');
  try {
    return await openWebGpuBackend('hardware');
  } catch (error) {
    return openCpuBackend(threads, error instanceof Error ? error.message : String(error));
  }
}
