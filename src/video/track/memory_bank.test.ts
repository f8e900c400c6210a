import { afterEach, expect, test } from 'bun:test';
import { openCpuBackend } from '../../compute/cpu/backend.ts';
import type { Tensor } from '../../compute/tensor.ts';
import { type FrameMemory, MemoryBank } from './memory_bank.ts';
import { SAM_LIMITS } from './model.ts';
import { continuePass, type Pass, readablePositions } from './passes.ts';

const backend = openCpuBackend();
const banks: MemoryBank[] = [];
afterEach(() => {
  for (const bank of banks.splice(0)) bank.clear();
  expect(backend.memory().usedBytes).toBe(0);
});

function open(): MemoryBank {
  const bank = new MemoryBank(backend, { ...SAM_LIMITS, selective: true });
  banks.push(bank);
  return bank;
}

function floats(...dims: number[]): Tensor<'float32'> {
  const values = new Float32Array(dims.reduce((a, b) => a * b));
  return backend.upload(values, dims) as Tensor<'float32'>;
}

/** Of an object that is seen well. */
function memory(frame: number): FrameMemory {
  const tensors = { pointer: floats(8), memory: floats(4, 3, 3), logits: floats(1, 1, 6, 6) };
  const scores = { objectScore: 9, iou: 0.9, effectiveIou: 0.9 };
  return { frame, direction: 1, pointerFrom: frame, ...tensors, ...scores, points: [] };
}

/** Conditioning frames that the next frame reads. */
const read = (bank: MemoryBank, frame: number) =>
  bank
    .recall(frame, 1)
    ?.memories.filter(({ row }) => row === SAM_LIMITS.timeRows - 1)
    .map((one) => one.frame);

test('a confirmed frame is tracked by and is no prompt', () => {
  const bank = open();
  bank.addPrompted(memory(0));
  bank.addTracked(memory(16));
  bank.addConfirmed(memory(16));
  expect(read(bank, 17)).toEqual([0, 16]);
  expect(bank.prompted(0)?.frame).toBe(0);
  expect(bank.prompted(16)).toBeUndefined();
  expect(bank.get(16)?.frame).toBe(16);
  // Followed through once more, it is a frame like others.
  bank.addTracked(memory(16));
  expect(read(bank, 17)).toEqual([0]);
});

test('a correction does away with what was confirmed before it', () => {
  const bank = open();
  bank.addPrompted(memory(0));
  for (const frame of [16, 32, 48]) bank.addConfirmed(memory(frame));
  expect(read(bank, 49)).toEqual([0, 16, 32, 48]);
  bank.addPrompted(memory(32));
  expect(read(bank, 49)).toEqual([0, 32]);
  expect(bank.prompted(32)?.frame).toBe(32);
  expect(bank.get(16)).toBeUndefined();
  expect(bank.get(48)).toBeUndefined();
});

test('confirmed every 16 frames, it keeps its prompt and its size over 1,000 frames', () => {
  const bank = open();
  bank.addPrompted(memory(0));
  const bytes: number[] = [bank.bytes];
  let pass: Pass | null = null;
  for (let frame = 1; frame <= 1000; frame++) {
    bank.addTracked(memory(frame));
    if (frame % 16 === 0) bank.addConfirmed(memory(frame));
    pass = continuePass(pass, frame, 1);
    bank.trim(readablePositions(pass));
    bytes.push(bank.bytes);
  }
  expect(bank.prompted(0)?.memory).not.toBeNull();
  expect(bank.recall(1001, 1)?.pointers.map(({ frame }) => frame)).toContain(0);
  expect(bytes[1000]).toBeLessThan(1.05 * bytes[100]);
  // Control: it does grow at first.
  expect(bytes[100]).toBeGreaterThan(2 * bytes[1]);
});
