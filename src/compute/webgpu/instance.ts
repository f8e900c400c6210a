import { useSoftwareVulkan, useVulkanLoader } from './driver.ts';

export type AdapterKind = 'hardware' | 'software' | 'null';

/**
 * Dawn instances must stay referenced for the life of the process: when one is garbage-collected,
 * Bun segfaults in `mapAsync`.
 */
const instances: GPU[] = [];

const OPTIONS: Record<AdapterKind, readonly string[]> = {
  // Without the toggle Dawn hides shader-f16 on NVIDIA's Vulkan driver.
  hardware: ['enable-dawn-features=vulkan_enable_f16_on_nvidia'],
  software: ['adapter=SwiftShader'],
  null: ['backend=null'],
};

/**
 * Creates a Dawn instance.
 *
 * `null` is Dawn's no-op backend, on which the bench measures the CPU cost of encoding. dawn.node
 * is imported only here, so that the CPU backend never loads it.
 */
export async function createInstance(kind: AdapterKind): Promise<GPU> {
  if (kind === 'software') useSoftwareVulkan();
  if (kind === 'hardware') useVulkanLoader();
  const { create, globals } = await import('webgpu');
  // GPUBufferUsage, GPUMapMode and the rest, which onnxruntime-web expects as globals.
  Object.assign(globalThis, globals);
  const instance = create([...OPTIONS[kind]]);
  instances.push(instance);
  // onnxruntime-web looks here to see whether there is WebGPU at all.
  Object.defineProperty(navigator, 'gpu', { value: instance, configurable: true });
  return instance;
}
