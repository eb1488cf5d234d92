import { isLocalIpv4, isLocalIpv6, isPublicIpv4, isPublicIpv6, readIpv6 } from "./ip-ranges.ts";

export type UrlVerdict = { ok: true; url: URL } | { ok: false; why: string };

const MAX_LENGTH = 2048;

/** Names that resolve inside a machine, a network or a cloud, or nowhere at all (RFC 6761, 6762, 7686, 8375, 9476). */
const PRIVATE_SUFFIXES = [
  "localhost",
  "localdomain",
  "localdomain4",
  "localdomain6",
  "svc",
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

/** Names under which clouds hand out the credentials of a machine. */
const METADATA_NAMES = [
  "metadata",
  "metadata.goog",
  "metadata.google.internal",
  "instance-data",
  "instance-data.ec2.internal",
];

interface Reach {
  ipv4(octets: readonly number[]): boolean;
  ipv6(groups: readonly number[]): boolean;
  /** Why an address that is neither is refused. */
  why: string;
}

const PUBLIC: Reach = { ipv4: isPublicIpv4, ipv6: isPublicIpv6, why: "it points to an address that is not public" };
const LOCAL: Reach = {
  ipv4: isLocalIpv4,
  ipv6: isLocalIpv6,
  why: "it points to an address where no model server can be",
};

/** Undefined for a name. */
function refuseAddress(host: string, reach: Reach): string | null | undefined {
  if (host.startsWith("[")) {
    const address = readIpv6(host.slice(1, -1));
    return address && reach.ipv6(address) ? null : reach.why;
  }
  // The URL parser has already turned decimal, octal, hexadecimal and full-width spellings into four numbers.
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return reach.ipv4(host.split(".").map(Number)) ? null : reach.why;
  return undefined;
}

function refuseSpelling(host: string): string | null {
  if (isOrEndsIn(host, ADDRESS_SPELLERS)) return "its host is a name that can stand for any address";
  if (!/^[a-z0-9._-]+$/.test(host) || host.split(".").some((label) => label === "" || label.length > 63)) {
    return "its host is not a valid name";
  }
  // No top-level domain is a number; some resolvers would read one as an address.
  if (/\.(?:\d+|0x[0-9a-f]*)$/.test(host)) return "its host is not a valid name";
  return null;
}

function refuseHost(host: string): string | null {
  const address = refuseAddress(host, PUBLIC);
  if (address !== undefined) return address;
  if (!host.includes(".")) return "its host is not a public name";
  if (isOrEndsIn(host, PRIVATE_SUFFIXES)) return "its host is a name of a private network";
  return refuseSpelling(host);
}

function refuseLocalHost(host: string): string | null {
  const address = refuseAddress(host, LOCAL);
  if (address !== undefined) return address;
  if (isOrEndsIn(host, METADATA_NAMES)) return LOCAL.why;
  return refuseSpelling(host);
}

/** What parsers do not agree on is refused before any of them sees it: what one drops, the next reads as the end of the host. */
function parseStrictly(text: string, schemes: RegExp, wanted: string): UrlVerdict {
  if (text.length > MAX_LENGTH) return refuse(`it is longer than ${MAX_LENGTH} characters`);
  const trimmed = text.trim();
  if (/[\s\p{Cc}\p{Cf}\\]/u.test(trimmed)) return refuse("it contains a space, a backslash or an invisible character");
  if (!schemes.test(trimmed)) return refuse(`it does not begin with ${wanted}`);
  if (!URL.canParse(trimmed)) return refuse("it is not a valid URL");
  const url = new URL(trimmed);
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
  const parsed = parseStrictly(text, /^https:\/\/[^/]/i, "https://");
  if (!parsed.ok) return parsed;
  const why = refuseHost(parsed.url.hostname.replace(/\.$/, ""));
  return why === null ? parsed : refuse(why);
}

/**
 * Whether a URL that an instance admin vouched for may be fetched: http or https, also on this machine or in a private
 * network, but never where clouds keep a machine's credentials, and never an address that stands for many.
 *
 * @returns as `checkPublicUrl`
 */
export function checkPrivateUrl(text: string): UrlVerdict {
  const parsed = parseStrictly(text, /^https?:\/\/[^/]/i, "http:// or https://");
  if (!parsed.ok) return parsed;
  const why = refuseLocalHost(parsed.url.hostname.replace(/\.$/, ""));
  return why === null ? parsed : refuse(why);
}
