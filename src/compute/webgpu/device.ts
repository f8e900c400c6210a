import type { DeviceInfo } from '../backend.ts';
import { type AdapterKind, createInstance } from './instance.ts';

/** A device on an adapter that was accepted. */
export interface OpenedDevice {
  readonly device: GPUDevice;
  readonly info: DeviceInfo;
}

/** No adapter of the wanted kind; the message says what was found instead. */
class NoAdapterError extends Error {}

/**
 * Features asked for when the adapter has them. `subgroups` is left out on software adapters:
 * with SwiftShader's subgroup size of 4, ORT's attention is wrong from sequence length 64 on; on
 * hardware self_check.ts decides.
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
export async function openDevice(
  kind: AdapterKind,
  { subgroups = kind === 'hardware' }: { readonly subgroups?: boolean } = {},
): Promise<OpenedDevice> {
  const gpu = await createInstance(kind);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new NoAdapterError(
      `no ${kind} WebGPU adapter: is a Vulkan driver installed? Use --device cpu`,
    );
  }
  const problem = adapterProblem(adapter.info, kind);
  if (problem) throw new NoAdapterError(problem);
  const software = kind !== 'hardware';
  const features = WANTED_FEATURES.filter(
    (feature) => adapter.features.has(feature) && (subgroups || feature !== 'subgroups'),
  );
  const requiredLimits = Object.fromEntries(
    WANTED_LIMITS.map((name) => [name, adapter.limits[name]]),
  );
  const device = await adapter.requestDevice({ requiredFeatures: features, requiredLimits });
  const name = adapter.info.device || adapter.info.description || adapter.info.vendor || kind;
  return { device, info: { kind: 'webgpu', name, software, features } };
}

type AdapterFacts = Pick<GPUAdapterInfo, 'vendor' | 'device' | 'description' | 'isFallbackAdapter'>;

/** Why an adapter does not pass for the wanted kind; null when it does. */
export function adapterProblem(info: AdapterFacts, kind: AdapterKind): string | null {
  if (kind === 'null') return null;
  const name = `${info.vendor} ${info.device} ${info.description}`.trim();
  if (/null/i.test(name)) return `Dawn's null adapter computes nothing: use --device cpu`;
  const software = info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(name);
  if (software === (kind === 'software')) return null;
  return software
    ? `the only WebGPU adapter is software (${name}): use --device cpu, or --device software to insist`
    : `expected a software adapter, found ${name}: use --device webgpu`;
}
