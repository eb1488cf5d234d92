/** Sixteen-bit groups of an IPv6 address, eight of them. */
type Ipv6 = readonly number[];

/** [first octets of the network, prefix length]: IANA's special-purpose registry, multicast and reserved space. */
const SPECIAL_IPV4: readonly [readonly number[], number][] = [
  [[0, 0, 0, 0], 8],
  [[10, 0, 0, 0], 8],
  [[100, 64, 0, 0], 10],
  [[127, 0, 0, 0], 8],
  [[169, 254, 0, 0], 16],
  [[172, 16, 0, 0], 12],
  [[192, 0, 0, 0], 24],
  [[192, 0, 2, 0], 24],
  [[192, 31, 196, 0], 24],
  [[192, 52, 193, 0], 24],
  [[192, 88, 99, 0], 24],
  [[192, 168, 0, 0], 16],
  [[192, 175, 48, 0], 24],
  [[198, 18, 0, 0], 15],
  [[198, 51, 100, 0], 24],
  [[203, 0, 113, 0], 24],
  [[224, 0, 0, 0], 4],
  [[240, 0, 0, 0], 4],
  // Answers a cloud's metadata inside that cloud (Azure's wire server, Alibaba's metadata) though it looks public.
  [[168, 63, 129, 16], 32],
];

/** 2000::/3 is all that is global unicast; these pieces of it are not. */
const SPECIAL_IPV6: readonly [Ipv6, number][] = [
  [[0x2001, 0, 0, 0, 0, 0, 0, 0], 23],
  [[0x2001, 0x0db8, 0, 0, 0, 0, 0, 0], 32],
  // 6to4: an IPv4 address in disguise, on a network that is switched off.
  [[0x2002, 0, 0, 0, 0, 0, 0, 0], 16],
  [[0x2620, 0x004f, 0x8000, 0, 0, 0, 0, 0], 48],
  [[0x3fff, 0, 0, 0, 0, 0, 0, 0], 20],
];

function inNetwork(address: readonly number[], network: readonly number[], prefix: number, groupBits: number): boolean {
  return network.every((group, index) => {
    const bits = Math.min(Math.max(prefix - index * groupBits, 0), groupBits);
    const ignored = 2 ** (groupBits - bits);
    return Math.floor((address[index] ?? 0) / ignored) === Math.floor(group / ignored);
  });
}

/** @param octets four numbers of 0 to 255. */
export const isPublicIpv4 = (octets: readonly number[]): boolean =>
  octets.length === 4 && !SPECIAL_IPV4.some(([network, prefix]) => inNetwork(octets, network, prefix, 8));

/**
 * Only native global unicast counts. IPv4 in an IPv6 spelling (mapped, compatible, translated, NAT64, 6to4, Teredo) lies
 * outside it or is named above, so none of them is public here, whatever the address inside.
 */
export const isPublicIpv6 = (groups: Ipv6): boolean =>
  inNetwork(groups, [0x2000], 3, 16) &&
  !SPECIAL_IPV6.some(([network, prefix]) => inNetwork(groups, network, prefix, 16));

/** Never a model server, whoever vouches for it: this host, link-local (where clouds keep credentials), multicast, reserved. */
const NEVER_IPV4: readonly [readonly number[], number][] = [
  [[0, 0, 0, 0], 8],
  [[100, 100, 100, 200], 32],
  [[168, 63, 129, 16], 32],
  [[169, 254, 0, 0], 16],
  [[192, 0, 0, 192], 32],
  [[224, 0, 0, 0], 3],
];

const NEVER_IPV6: readonly [Ipv6, number][] = [
  [[0, 0, 0, 0, 0, 0, 0, 0], 128],
  [[0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254], 128],
  [[0xfe80, 0, 0, 0, 0, 0, 0, 0], 10],
  [[0xff00, 0, 0, 0, 0, 0, 0, 0], 8],
];

/** Of the local networks: this machine, a private range, or public after all. */
export const isLocalIpv4 = (octets: readonly number[]): boolean =>
  octets.length === 4 && !NEVER_IPV4.some(([network, prefix]) => inNetwork(octets, network, prefix, 8));

/** Native addresses only, loopback among them; IPv4 in an IPv6 spelling has its own. */
export const isLocalIpv6 = (groups: Ipv6): boolean =>
  (isPublicIpv6(groups) ||
    inNetwork(groups, [0xfc00], 7, 16) ||
    inNetwork(groups, [0, 0, 0, 0, 0, 0, 0, 1], 128, 16)) &&
  !NEVER_IPV6.some(([network, prefix]) => inNetwork(groups, network, prefix, 16));

/** Reads the canonical text that the URL parser writes; null for anything else. */
export function readIpv6(text: string): Ipv6 | null {
  const [head = "", tail, more] = text.split("::");
  if (more !== undefined) return null;
  const groupsOf = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [before, after] = [groupsOf(head), groupsOf(tail ?? "")];
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...before, ...Array<number>(missing).fill(0), ...after];
  return groups.every((group) => Number.isInteger(group) && group >= 0 && group <= 0xffff) ? groups : null;
}
