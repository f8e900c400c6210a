import { describe, expect, test } from 'bun:test';
import { cameraFromFlags } from './camera.ts';
import { DemoError } from './errors.ts';

const size = { width: 640, height: 480 };

describe('the camera of a picture', () => {
  test('is assumed 60 degrees wide and centred, and says so', () => {
    const { intrinsics, origin } = cameraFromFlags({}, size);
    const { fx, fy, cx, cy } = intrinsics;
    // The rays through the picture's left and right edges are 60 degrees apart.
    const left = Math.atan((cx + 0.5) / fx);
    const right = Math.atan((size.width - 0.5 - cx) / fx);
    expect(((left + right) * 180) / Math.PI).toBeCloseTo(60, 10);
    expect({ fy, cx, cy }).toEqual({ fy: fx, cx: 319.5, cy: 239.5 });
    expect(origin).toBe('assumed 60° wide, centred');
  });

  test('is what the flags say, the rest assumed', () => {
    const all = { fx: '525', fy: '530', cx: '320', cy: '0' };
    expect(cameraFromFlags(all, size)).toEqual({
      intrinsics: { fx: 525, fy: 530, cx: 320, cy: 0 },
      origin: '--fx --fy --cx --cy',
    });
    const one = cameraFromFlags({ fy: '500' }, size);
    expect(one.intrinsics).toMatchObject({ fx: 500, fy: 500, cx: 319.5 });
    expect(one.origin).toBe('--fy; assumed centred');
    const wide = cameraFromFlags({ fov: '90' }, size);
    expect(wide.intrinsics.fx).toBeCloseTo(320, 10);
    expect(wide.origin).toBe('--fov; assumed centred');
    expect(cameraFromFlags({ cx: '1', cy: '2' }, size).origin).toBe('--cx --cy; assumed 60° wide');
  });

  test.each([
    [{ fx: '0' }, '--fx is "0"; expected pixels above 0'],
    [{ fy: 'x' }, '--fy is "x"; expected pixels above 0'],
    [{ cx: '' }, '--cx is ""; expected pixels'],
    [{ cy: 'Infinity' }, '--cy is "Infinity"; expected pixels'],
    [{ fov: '180' }, '--fov is "180"; expected degrees between 0 and 180'],
    [{ fov: '60', fy: '500' }, '--fov and a focal length'],
  ])('%j is refused', (flags, message) => {
    expect(() => cameraFromFlags(flags, size)).toThrow(DemoError);
    expect(() => cameraFromFlags(flags, size)).toThrow(message);
  });
});
