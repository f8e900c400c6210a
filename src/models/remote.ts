import type { ModelEntry, ModelFile } from './entry.ts';
import { ModelError } from './errors.ts';

const HUGGING_FACE = 'https://huggingface.co';

/**
 * Where models are fetched from. Proxies are not in here: Bun's `fetch` follows HTTP_PROXY,
 * HTTPS_PROXY and NO_PROXY by itself.
 */
export interface RemoteSettings {
  /** Replaces https://huggingface.co (HF_ENDPOINT). */
  readonly hfEndpoint: string;
  /**
   * Replaces every host (TRIPTYCH_MODEL_MIRROR): files are at `<mirror>/<model id>/<path>`, the
   * layout of the store itself and of `models pull --from`.
   */
  readonly mirror?: string;
  /** HF_TOKEN. */
  readonly token?: string;
  /** HF_HUB_OFFLINE: no network at all. */
  readonly offline: boolean;
}

/** @throws ModelError `usage` where HF_ENDPOINT or TRIPTYCH_MODEL_MIRROR is not a web address. */
export function remoteSettings(environment: NodeJS.ProcessEnv = process.env): RemoteSettings {
  const { HF_ENDPOINT, TRIPTYCH_MODEL_MIRROR, HF_TOKEN, HF_HUB_OFFLINE } = environment;
  return {
    hfEndpoint: HF_ENDPOINT ? webAddress('HF_ENDPOINT', HF_ENDPOINT) : HUGGING_FACE,
    ...(TRIPTYCH_MODEL_MIRROR && {
      mirror: webAddress('TRIPTYCH_MODEL_MIRROR', TRIPTYCH_MODEL_MIRROR),
    }),
    ...(HF_TOKEN && { token: HF_TOKEN.trim() }),
    offline: /^(1|true|yes|on)$/i.test(HF_HUB_OFFLINE ?? ''),
  };
}

/** The address to ask for a file, after mirrors. */
export function fileUrl(entry: ModelEntry, file: ModelFile, settings: RemoteSettings): URL {
  if (settings.mirror) return new URL(`${settings.mirror}/${entry.id}/${file.path}`);
  if (!file.url.startsWith(`${HUGGING_FACE}/`)) return new URL(file.url);
  return new URL(settings.hfEndpoint + file.url.slice(HUGGING_FACE.length));
}

/**
 * The Authorization header for one hop: the token goes to Hugging Face or the mirror that stands in
 * for it and to no host that they redirect to, and never in the clear over a network.
 */
export function authorisation(url: URL, settings: RemoteSettings): string | undefined {
  if (!settings.token) return undefined;
  const trusted = [settings.hfEndpoint, settings.mirror].filter((base) => base !== undefined);
  if (!trusted.some((base) => new URL(base).origin === url.origin)) return undefined;
  return url.protocol === 'https:' || isLoopback(url) ? `Bearer ${settings.token}` : undefined;
}

/**
 * The address of the next hop.
 *
 * @throws ModelError `network` for a redirect away from HTTPS or to something not on the web.
 */
export function redirectTarget(from: URL, location: string | null): URL {
  const to = location === null ? undefined : parseUrl(location, from);
  if (!to) throw new ModelError('network', `${shown(from)} redirects to nowhere (${location})`);
  const downgrade = from.protocol === 'https:' && to.protocol !== 'https:' && !isLoopback(to);
  if (downgrade || !/^https?:$/.test(to.protocol)) {
    throw new ModelError(
      'network',
      `${shown(from)} redirects to ${shown(to)}; an https address is expected`,
    );
  }
  return to;
}

/** An address for messages: without query and user, which may hold secrets. */
export function shown(url: URL): string {
  return url.origin === 'null' ? url.protocol : url.origin + url.pathname;
}

function webAddress(name: string, value: string): string {
  const url = parseUrl(value);
  if (url && /^https?:$/.test(url.protocol)) return value.replace(/\/+$/, '');
  throw new ModelError('usage', `${name} is "${value}"; an http(s) address is expected`);
}

function parseUrl(value: string, base?: URL): URL | undefined {
  return URL.parse(value, base?.href) ?? undefined;
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
