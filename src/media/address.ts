import ipaddr from 'ipaddr.js';

/** All that IANA has handed out as global unicast; the rest of IPv6 is special or unassigned. */
const GLOBAL_UNICAST_V6 = ipaddr.parseCIDR('2000::/3');

/** Public by number, but the platform's own host agent on every Azure machine. */
const CLOUD_AGENTS = new Set(['168.63.129.16']);

/**
 * Whether an IP address is an ordinary one of the public internet.
 *
 * False for loopback, private, link-local (169.254.169.254 too), shared (CGNAT), multicast,
 * broadcast, documentation, benchmarking and reserved ranges, for IPv6 unique-local and
 * site-local, for every IPv6 form that carries an IPv4 address (mapped, compatible, translated,
 * NAT64, 6to4, Teredo), whatever that address is, and for text that is no address.
 * Ranges: the IANA special-purpose address registries, as ipaddr.js has them.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text) || CLOUD_AGENTS.has(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(GLOBAL_UNICAST_V6);
}
