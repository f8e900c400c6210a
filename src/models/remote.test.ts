import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { CATALOGUE, entryById } from './catalogue.ts';
import { authorisation, fileUrl, redirectTarget, remoteSettings, shown } from './remote.ts';
import { DEFAULT_RETRY, PassingFailure, parseRetryAfter, retryDelay } from './retry.ts';

const COMMUNITY = entryById(CATALOGUE, 'depth-anything-v2-small-fp16');
const RELEASE = entryById(CATALOGUE, 'depth-anything-v2-metric-indoor-small');

describe('addresses', () => {
  test('without settings, the published ones', () => {
    const settings = remoteSettings({});
    expect(settings).toEqual({ hfEndpoint: 'https://huggingface.co', offline: false });
    for (const entry of [COMMUNITY, RELEASE]) {
      expect(fileUrl(entry, entry.files[0], settings).href).toBe(entry.files[0].url);
    }
  });

  test('HF_ENDPOINT changes the Hugging Face ones, with or without a last slash', () => {
    for (const HF_ENDPOINT of ['https://mirror.test/hf', 'https://mirror.test/hf/']) {
      const settings = remoteSettings({ HF_ENDPOINT });
      expect(fileUrl(COMMUNITY, COMMUNITY.files[0], settings).href).toBe(
        'https://mirror.test/hf/onnx-community/depth-anything-v2-small/resolve/' +
          '4472b7362082ad9968fee890ca0f1e5aca36b93d/onnx/model_fp16.onnx',
      );
      expect(fileUrl(RELEASE, RELEASE.files[0], settings).host).toBe('github.com');
    }
  });

  test('TRIPTYCH_MODEL_MIRROR changes all of them', () => {
    const settings = remoteSettings({ TRIPTYCH_MODEL_MIRROR: 'http://10.0.0.7/models/' });
    expect(fileUrl(RELEASE, RELEASE.files[0], settings).href).toBe(
      'http://10.0.0.7/models/depth-anything-v2-metric-indoor-small/' +
        'depth_anything_v2_vits_indoor_dynamic.onnx',
    );
  });

  test('a mirror that is no web address is refused by name', () => {
    for (const value of ['mirror.test', 'ftp://mirror.test', '/srv/models']) {
      expect(() => remoteSettings({ HF_ENDPOINT: value })).toThrow('HF_ENDPOINT');
      expect(() => remoteSettings({ TRIPTYCH_MODEL_MIRROR: value })).toThrow(
        'TRIPTYCH_MODEL_MIRROR',
      );
    }
  });

  test('HF_HUB_OFFLINE is read as Hugging Face reads it', () => {
    for (const value of ['1', 'true', 'YES', 'on']) {
      expect(remoteSettings({ HF_HUB_OFFLINE: value }).offline).toBe(true);
    }
    for (const value of ['', '0', 'false']) {
      expect(remoteSettings({ HF_HUB_OFFLINE: value }).offline).toBe(false);
    }
  });
});

describe('the token', () => {
  const settings = remoteSettings({ HF_TOKEN: ' hf_x\n', HF_ENDPOINT: 'https://hub.test' });

  test('goes to the endpoint and to no other host, port or scheme', () => {
    expect(authorisation(new URL('https://hub.test/a'), settings)).toBe('Bearer hf_x');
    for (const url of [
      'https://hub.test.evil.test/a',
      'https://evil.test/hub.test',
      'https://hub.test:8443/a',
      'http://hub.test/a',
      'https://huggingface.co/a',
    ]) {
      expect(authorisation(new URL(url), settings)).toBeUndefined();
    }
  });

  test('never goes in the clear over a network', () => {
    const plain = { ...settings, hfEndpoint: 'http://hub.test' };
    expect(authorisation(new URL('http://hub.test/a'), plain)).toBeUndefined();
    const local = { ...settings, hfEndpoint: 'http://127.0.0.1:8080' };
    expect(authorisation(new URL('http://127.0.0.1:8080/a'), local)).toBe('Bearer hf_x');
  });
});

describe('redirects', () => {
  const from = new URL('https://hub.test/a/b');

  test('are followed relative to where they come from', () => {
    expect(redirectTarget(from, '../c?d=1').href).toBe('https://hub.test/c?d=1');
    expect(redirectTarget(from, 'https://cdn.test/x').href).toBe('https://cdn.test/x');
  });

  test('do not leave https, and lead somewhere', () => {
    for (const location of ['http://hub.test/a', 'file:///a', 'data:,a', 'http://[', null]) {
      expect(() => redirectTarget(from, location)).toThrow('redirects to');
    }
    expect(redirectTarget(new URL('http://a.test'), 'http://b.test').host).toBe('b.test');
  });

  test('what is shown of an address holds no secret', () => {
    expect(shown(new URL('https://user:word@cdn.test/x?sig=s#h'))).toBe('https://cdn.test/x');
  });
});

describe('waiting', () => {
  test('grows, is jittered by at most a half, and has a ceiling', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, r) => {
          const whole = Math.min(500 * 2 ** (n - 1), 30_000);
          const delay = retryDelay(n, new PassingFailure('x'), DEFAULT_RETRY, () => r);
          expect(delay).toBeGreaterThanOrEqual(whole / 2);
          expect(delay).toBeLessThanOrEqual(whole);
        },
      ),
    );
  });

  test('follows Retry-After up to the longest allowed', () => {
    const asked = (ms: number) => retryDelay(1, new PassingFailure('busy', ms), DEFAULT_RETRY);
    expect(asked(0)).toBe(0);
    expect(asked(300_000)).toBe(300_000);
    expect(() => asked(300_001)).toThrow('301 s');
  });

  test('Retry-After is seconds or a date', () => {
    const now = Date.parse('Wed, 21 Oct 2015 07:28:00 GMT');
    expect(parseRetryAfter('120', now)).toBe(120_000);
    expect(parseRetryAfter('Wed, 21 Oct 2015 07:28:30 GMT', now)).toBe(30_000);
    expect(parseRetryAfter('Wed, 21 Oct 2015 07:27:00 GMT', now)).toBe(0);
    for (const nothing of [null, 'soon', '', '-5']) {
      expect(parseRetryAfter(nothing, now) ?? 0).toBe(0);
    }
  });
});
