import type { DeviceInfo } from '../backend.ts';
import { type AdapterKind, createInstance } from './instance.ts';

/** An adapter that was accepted, and the device opened on it. */
export interface OpenedDevice {
  readonly device: GPUDevice;
  readonly adapter: GPUAdapter;
  readonly info: DeviceInfo;
}

/** No adapter of the wanted kind; the message says what was found instead. */
export class NoAdapterError extends Error {}

/**
 * Features asked for when the adapter has them. `subgroups` is left out on software adapters:
 * with SwiftShader's subgroup size of 4, ORT's attention is wrong from sequence length 64 on.
 * `chromium-experimental-subgroup-matrix` is never asked for: ORT would emit WGSL that needs
 * `allow_unsafe_apis`.
 */
const WANTED_FEATURES: readonly GPUFeatureName[] = ['timestamp-query', 'shader-f16', 'subgroups'];

/** Limits raised to the adapter's: ViT-L's largest DPT tensor passes the default 128 MiB. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxStorageBuffersPerShaderStage',
] as const;

/**
 * Opens a device on an adapter of exactly the wanted kind.
 *
 * @throws NoAdapterError when there is none: a software adapter never passes for hardware.
 */
export async function openDevice(kind: AdapterKind): Promise<OpenedDevice> {
  const gpu = await createInstance(kind);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new NoAdapterError(
      `no ${kind} WebGPU adapter: is a Vulkan driver installed? Use --device cpu`,
    );
  }
  checkKind(adapter, kind);
  const software = kind !== 'hardware';
  const features = WANTED_FEATURES.filter(
    (feature) => adapter.features.has(feature) && !(software && feature === 'subgroups'),
  );
  const requiredLimits = Object.fromEntries(
    WANTED_LIMITS.map((name) => [name, adapter.limits[name]]),
  );
  const device = await adapter.requestDevice({ requiredFeatures: features, requiredLimits });
  const name = adapter.info.description || adapter.info.device || adapter.info.vendor || kind;
  return { device, adapter, info: { kind: 'webgpu', name, software, features } };
}

function checkKind(adapter: GPUAdapter, kind: AdapterKind): void {
  if (kind === 'null') return;
  const name = `${adapter.info.vendor} ${adapter.info.device} ${adapter.info.description}`;
  const isSoftware =
    adapter.info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|null/i.test(name);
  if (isSoftware === (kind === 'software')) return;
  throw new NoAdapterError(
    kind === 'hardware'
      ? `the only WebGPU adapter is software (${name.trim()}): use --device cpu, or --device software to insist`
      : `expected a software adapter, found ${name.trim()}: use --device webgpu`,
  );
}
