import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { openWebGpuBackend } from './backend.ts';
import { adapterProblem } from './device.ts';
import { attentionIsRight } from './self_check.ts';

// A software rasteriser compiles an attention graph in tens of seconds on a busy machine.
setDefaultTimeout(180_000);

const gpu = { vendor: 'nvidia', device: '', description: 'NVIDIA H200', isFallbackAdapter: false };
const swiftshader = {
  vendor: 'google',
  device: 'swiftshader',
  description: 'SwiftShader driver',
  isFallbackAdapter: true,
};
const none = { vendor: '', device: '', description: 'null-backend', isFallbackAdapter: false };

describe('adapter choice', () => {
  test('hardware is hardware', () => {
    expect(adapterProblem(gpu, 'hardware')).toBeNull();
    expect(adapterProblem(swiftshader, 'hardware')).toContain('--device software');
    expect(adapterProblem({ ...swiftshader, isFallbackAdapter: false }, 'hardware')).toBeString();
  });

  test('software only by name', () => {
    expect(adapterProblem(swiftshader, 'software')).toBeNull();
    expect(adapterProblem(gpu, 'software')).toContain('--device webgpu');
  });

  test('the null adapter never passes for either', () => {
    expect(adapterProblem(none, 'hardware')).toContain('null');
    expect(adapterProblem(none, 'software')).toContain('null');
  });
});

const hasSoftware = process.platform === 'linux' && process.arch === 'x64';
if (!hasSoftware) console.warn('SKIPPED the self-check: no software adapter on this platform');

describe.skipIf(!hasSoftware)('the attention self-check', () => {
  test('passes where attention is right', async () => {
    const backend = await openWebGpuBackend('software');
    expect(await attentionIsRight(backend)).toBe(true);
    await backend.dispose();
  });

  test('control: fails on SwiftShader with subgroups, where attention is known to be wrong', async () => {
    const backend = await openWebGpuBackend('software', { subgroups: true });
    expect(backend.info.features).toContain('subgroups');
    expect(await attentionIsRight(backend)).toBe(false);
    await backend.dispose();
  });
});

test('the loss of a device is reported', async () => {
  const backend = await openWebGpuBackend('null');
  await backend.dispose();
  expect(await backend.lost).toMatchObject({ reason: 'destroyed' });
});
