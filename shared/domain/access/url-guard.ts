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

/** Reads a URL that every parser reads the same way, without credentials in it. */
function readUrl(text: string, scheme: "https" | "https?"): UrlVerdict {
  if (text.length > MAX_LENGTH) return refuse(`it is longer than ${MAX_LENGTH} characters`);
  const trimmed = text.trim();
  // Parsers disagree on these: what one drops, the next one reads as the end of the host.
  if (/[\s\p{Cc}\p{Cf}\\]/u.test(trimmed)) return refuse("it contains a space, a backslash or an invisible character");
  if (!new RegExp(`^${scheme}://[^/]`, "i").test(trimmed))
    return refuse(`it does not begin with ${scheme === "https" ? "https://" : "https:// or http://"}`);
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch {
    return refuse("it is not a valid URL");
  }
  if (url.username !== "" || url.password !== "" || /^https?:\/\/[^/?#]*@/i.test(trimmed)) {
    return refuse("it carries a user name or password; give credentials in their own field");
  }
  return { ok: true, url };
}

/**
 * Whether a URL that a user supplied may be fetched: https, no credentials in it, and a host that by its spelling is
 * public. What a name resolves to cannot be seen here: the network that carries the request has to hold that line.
 * Check each redirect anew.
 *
 * @returns the parsed URL to use from here on, or why not, as the end of a sentence ("The URL is refused: …").
 */
export function checkPublicUrl(text: string): UrlVerdict {
  const read = readUrl(text, "https");
  if (!read.ok) return read;
  const why = refuseHost(read.url.hostname.replace(/\.$/, ""));
  return why === null ? read : refuse(why);
}

/** Addresses at which a cloud tells a machine its own credentials: link-local ones, and names and numbers for the same. */
const METADATA_HOSTS = [
  "metadata.google.internal",
  "metadata.goog",
  "168.63.129.16",
  "100.100.100.200",
  "[fd00:ec2::254]",
];

/** Where no model server can be: nowhere, the link itself with a cloud's metadata, groups of machines. */
function isNoHost(host: string): boolean {
  if (isOrEndsIn(host, METADATA_HOSTS)) return true;
  if (!host.startsWith("[")) return /^(?:0|169\.254|2(?:2[4-9]|[3-5]\d))\.(?:\d+\.){1,2}\d+$/.test(host);
  const [first = 0, ...rest] = readIpv6(host.slice(1, -1)) ?? [];
  const isLoopback = first === 0 && rest.slice(0, 6).every((group) => group === 0) && rest[6] === 1;
  // Below 0x100 lie the unspecified address and every IPv4 address in disguise, above 0xfe00 link, site and groups.
  return !isLoopback && (first < 0x100 || first >= 0xfe00);
}

/**
 * Whether a URL that an instance admin vouches for may be fetched: http or https, in a private network too, but never
 * where a cloud keeps its credentials.
 */
export function checkPrivateUrl(text: string): UrlVerdict {
  const read = readUrl(text, "https?");
  if (!read.ok) return read;
  const host = read.url.hostname.replace(/\.$/, "");
  if (isNoHost(host)) return refuse("nothing that answers models can be at that address");
  return read;
}
