import { isPublicIpv4, isPublicIpv6, readIpv6 } from "./ip-ranges.ts";

export type UrlVerdict = { ok: true; url: URL } | { ok: false; why: string };

const MAX_LENGTH = 2048;

/** Names that resolve inside a machine, a network or a cloud, or nowhere at all (RFC 6761, 6762, 7686, 8375, 9476). */
const PRIVATE_SUFFIXES = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "home.arpa",
  "in-addr.arpa",
  "ip6.arpa",
  "test",
  "invalid",
  "example",
  "onion",
  "alt",
];

/** Public services whose names spell out any address, private ones too. */
const ADDRESS_SPELLERS = [
  "nip.io",
  "sslip.io",
  "xip.io",
  "localtest.me",
  "lvh.me",
  "vcap.me",
  "lacolhost.com",
  "traefik.me",
];

const refuse = (why: string): UrlVerdict => ({ ok: false, why });

const isOrEndsIn = (host: string, names: readonly string[]) =>
  names.some((name) => host === name || host.endsWith(`.${name}`));

function refuseHost(host: string): string | null {
  if (host.startsWith("[")) {
    const address = readIpv6(host.slice(1, -1));
    return address && isPublicIpv6(address) ? null : "it points to an address that is not public";
  }
  // The URL parser has already turned decimal, octal, hexadecimal and full-width spellings into four numbers.
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) {
    return isPublicIpv4(host.split(".").map(Number)) ? null : "it points to an address that is not public";
  }
  if (!host.includes(".")) return "its host is not a public name";
  if (isOrEndsIn(host, PRIVATE_SUFFIXES)) return "its host is a name of a private network";
  if (isOrEndsIn(host, ADDRESS_SPELLERS)) return "its host is a name that can stand for any address";
  if (!/^[a-z0-9._-]+$/.test(host) || host.split(".").some((label) => label === "" || label.length > 63)) {
    return "its host is not a valid name";
  }
  // No top-level domain is a number; some resolvers would read one as an address.
  if (/\.(?:\d+|0x[0-9a-f]*)$/.test(host)) return "its host is not a valid name";
  return null;
}

/**
 * Whether a URL that a user supplied may be fetched: https, no credentials in it, and a host that by its spelling is
 * public. What a name resolves to cannot be seen here: the network that carries the request has to hold that line.
 * Check each redirect anew.
 *
 * @returns the parsed URL to use from here on, or why not, as the end of a sentence ("The URL is refused: …").
 */
export function checkPublicUrl(text: string): UrlVerdict {
  if (text.length > MAX_LENGTH) return refuse(`it is longer than ${MAX_LENGTH} characters`);
  // Parsers disagree on these: what one drops, the next one reads as the end of the host.
  if (/[\s\p{Cc}\p{Cf}\\]/u.test(text.trim()))
    return refuse("it contains a space, a backslash or an invisible character");
  if (!/^https:\/\/[^/]/i.test(text.trim())) return refuse("it does not begin with https://");
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return refuse("it is not a valid URL");
  }
  if (url.username !== "" || url.password !== "" || /^https:\/\/[^/?#]*@/i.test(text.trim())) {
    return refuse("it carries a user name or password; give credentials in their own field");
  }
  const why = refuseHost(url.hostname.replace(/\.$/, ""));
  return why === null ? { ok: true, url } : refuse(why);
}
