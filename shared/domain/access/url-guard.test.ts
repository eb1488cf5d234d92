import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkPrivateUrl, checkPublicUrl } from "./url-guard.ts";

const PUBLIC = [
  "https://example.com",
  "https://example.com.",
  "https://api.openai.com/v1",
  "https://API.Anthropic.COM/",
  "https://openrouter.ai/api/v1?x=1#y",
  "https://bücher.de/",
  "https://xn--bcher-kva.de",
  "https://例え.jp/path",
  "https://8.8.8.8/",
  "https://1.1.1.1:8443/",
  "https://134744072/",
  "https://0x08080808/",
  "https://010.8.8.8/",
  "https://9.255.255.255",
  "https://11.0.0.0",
  "https://100.63.255.255",
  "https://100.128.0.0",
  "https://126.255.255.255",
  "https://128.0.0.1",
  "https://169.253.255.255",
  "https://169.255.0.0",
  "https://172.15.255.255",
  "https://172.32.0.0",
  "https://192.167.255.255",
  "https://192.169.0.0",
  "https://198.17.255.255",
  "https://198.20.0.0",
  "https://223.255.255.255",
  "https://[2606:4700:4700::1111]/",
  "https://[2001:4860:4860::8888]:443/",
  "https://[2a00:1450:4001:82b::200e]",
  "https://localhost.com",
  "https://internal.example.org",
  "https://local.company.io",
  "https://my-ollama.dev/api",
  "https://a_b.example.net",
  "https://10.example.com",
  "https://127.0.0.1.example.com/",
  "https://example.com/?next=http://localhost",
  "https://example.com/@user",
  "https://example.com:444/path%20with%20escapes",
  "  https://example.com  ",
  "HTTPS://EXAMPLE.COM",
];

const LOOPBACK_SPELLINGS = [
  "127.0.0.1",
  "127.0.0.1.",
  "127.1",
  "127.0.1",
  "127.255.255.254",
  "2130706433",
  "0x7f000001",
  "0x7F.0x0.0x0.0x1",
  "0x7f.1",
  "0177.0.0.1",
  "0177.0.0.01",
  "017700000001",
  "00000177.1",
  "127.0.0.0x1",
  "127.000.000.001",
  "①②⑦.⓪.⓪.①",
  "１２７.０.０.１",
  "127。0。0。1",
  "127．0．0．1",
  "127｡0｡0｡1",
  "%31%32%37.0.0.1",
  "0",
  "0.0.0.0",
  "0x0",
  "0.1.2.3",
  "localhost",
  "LOCALHOST",
  "localhost.",
  "foo.localhost",
  "foo.localhost.",
  "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
  "lоcalhost",
  "l%6fcalhost",
  "local\u00adhost",
  "localhost.localdomain",
  "ip6-localhost",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[0000::0001]",
  "[::]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[0:0:0:0:0:ffff:7f00:0001]",
  "[::127.0.0.1]",
  "[::7f00:1]",
  "[::ffff:0:127.0.0.1]",
  "[64:ff9b::127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[2002:7f00:0001::1]",
  "[2001::7f00:1]",
  "[2001:0:7f00:1::]",
  "127.0.0.1.nip.io",
  "7f000001.nip.io",
  "127-0-0-1.sslip.io",
  "localtest.me",
  "a.localtest.me",
  "lvh.me",
];

const PRIVATE_HOSTS = [
  "10.0.0.1",
  "10.255.255.255",
  "012.0.0.1",
  "0xa.0.0.1",
  "167772161",
  "100.64.0.1",
  "100.127.255.255",
  "169.254.0.1",
  "169.254.169.254",
  "169.254.170.2",
  "2852039166",
  "0xa9fea9fe",
  "0251.0376.0251.0376",
  "[::ffff:169.254.169.254]",
  "[::ffff:a9fe:a9fe]",
  "[64:ff9b::a9fe:a9fe]",
  "[2002:a9fe:a9fe::]",
  "[fd00:ec2::254]",
  "metadata.google.internal",
  "metadata.google.internal.",
  "172.16.0.1",
  "172.31.255.255",
  "2886729729",
  "192.168.0.1",
  "192.168.257",
  "192.0.0.8",
  "192.0.2.1",
  "192.88.99.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.9",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "4294967295",
  "168.63.129.16",
  "100.100.100.200",
  "[fc00::1]",
  "[fd12:3456:789a::1]",
  "[fe80::1]",
  "[febf::1]",
  "[fec0::1]",
  "[ff02::1]",
  "[100::1]",
  "[2001:db8::1]",
  "[2001:10::1]",
  "[2001:20::1]",
  "[2002::1]",
  "[3fff::1]",
  "[4000::1]",
  "[5f00::1]",
  "[::ffff:8.8.8.8]",
  "[64:ff9b::8.8.8.8]",
  "intranet",
  "db",
  "postgres",
  "host.docker.internal",
  "kubernetes.default.svc.cluster.local",
  "printer.local",
  "PRINTER.LOCAL.",
  "printer.ⓛⓞⓒⓐⓛ",
  "router.lan",
  "nas.home",
  "router.home.arpa",
  "1.0.0.127.in-addr.arpa",
  "a.corp",
  "a.intranet",
  "a.private",
  "a.test",
  "a.invalid",
  "a.example",
  "facebookcorewwwi.onion",
];

const MALFORMED = [
  "",
  " ",
  "https://",
  "https:",
  "https:///",
  "https:///localhost",
  "https:/example.com",
  "https:example.com",
  "https:\\\\example.com",
  "https://example.com\\@localhost",
  "https://example.com\\.localhost",
  "//example.com",
  "example.com",
  "http://example.com",
  "ftp://example.com",
  "file:///etc/passwd",
  "gopher://example.com",
  "data:text/plain,hi",
  "javascript:alert(1)",
  "blob:https://example.com/x",
  "ws://example.com",
  "wss://example.com",
  "httpss://example.com",
  "https://user@example.com",
  "https://user:pass@example.com",
  "https://:pass@example.com",
  "https://@example.com",
  "https://:@example.com",
  "https://example.com@localhost",
  "https://example.com:80@127.0.0.1/",
  "https://localhost#@example.com",
  "https://localhost?@example.com",
  "https://exa mple.com",
  "https://exam\tple.com",
  "https://exam\nple.com",
  "https://example.com\r\nHost: localhost",
  "https://example.com\u0000.localhost",
  "https://example.com%00.localhost",
  "https://exam\u200bple.com",
  "https://\u202eexample.com",
  "https://example..com",
  "https://.example.com",
  "https://example.com..",
  "https://example.com:99999",
  "https://example.com:-1",
  "https://256.256.256.256",
  "https://1.2.3.4.5",
  "https://1.2.3.08",
  "https://0x7f.0.0.0x",
  "https://foo.0x7f000001",
  "https://[::1",
  "https://[::1%25eth0]",
  "https://[fe80::1%25en0]",
  "https://[1::2::3]",
  "https://[::g]",
  "https://xn--",
  "https://xn--a",
  "https://*.example.com",
  "https://exa$mple.com",
  `https://${"a".repeat(64)}.com`,
  `https://example.com/${"a".repeat(3000)}`,
];

describe("a URL that a user supplies", () => {
  test.each(PUBLIC)("may be %s", (text) => {
    expect(checkPublicUrl(text)).toMatchObject({ ok: true });
  });

  test.each([...new Set([...LOOPBACK_SPELLINGS, ...PRIVATE_HOSTS])])(
    "may not be https://%s, with or without a port and a path",
    (host) => {
      for (const text of [`https://${host}`, `https://${host}:8443/v1?x=y#z`, `HTTPS://${host}/`]) {
        expect([text, checkPublicUrl(text).ok]).toEqual([text, false]);
      }
    },
  );

  test.each(MALFORMED)("may not be %j", (text) => {
    expect(checkPublicUrl(text).ok).toBe(false);
  });

  test("is judged against more than 150 spellings", () => {
    expect(new Set([...PUBLIC, ...LOOPBACK_SPELLINGS, ...PRIVATE_HOSTS, ...MALFORMED]).size).toBeGreaterThan(150);
  });

  test("is never a private IPv4 address, in whatever base its parts are written", async () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const spell = fc.constantFrom(
      (n: number) => String(n),
      (n: number) => `0x${n.toString(16)}`,
      (n: number) => `0${n.toString(8)}`,
    );
    await fc.assert(
      fc.property(
        fc.constantFrom([10], [127], [192, 168], [169, 254], [172, 20]),
        fc.array(octet, { minLength: 4, maxLength: 4 }),
        fc.array(spell, { minLength: 4, maxLength: 4 }),
        (network, rest, spellings) => {
          const octets = [...network, ...rest].slice(0, 4);
          const host = octets.map((value, index) => spellings[index]?.(value)).join(".");
          expect(checkPublicUrl(`https://${host}/`).ok).toBe(false);
          const [a = 0, b = 0, c = 0, d = 0] = octets;
          const whole = ((a * 256 + b) * 256 + c) * 256 + d;
          expect(checkPublicUrl(`https://${whole}/`).ok).toBe(false);
          expect(checkPublicUrl(`https://[::ffff:${octets.join(".")}]/`).ok).toBe(false);
        },
      ),
    );
  });

  test("gets a verdict whatever it is, and the accepted one is https without credentials", async () => {
    await fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.webUrl({ withFragments: true, withQueryParameters: true }),
          fc.string().map((host) => `https://${host}`),
        ),
        (text) => {
          const verdict = checkPublicUrl(text);
          if (verdict.ok)
            expect([verdict.url.protocol, verdict.url.username, verdict.url.password]).toEqual(["https:", "", ""]);
          else expect(verdict.why).toMatch(/^it/);
        },
      ),
    );
  });
});

describe("a URL that an instance admin vouches for", () => {
  test.each([
    "http://127.0.0.1:11434",
    "http://localhost:11434/",
    "http://192.168.1.5:8080/v1",
    "http://10.0.0.1",
    "https://nas.local/v1",
    "http://ollama:11434",
    "http://[::1]:11434",
    "http://[fd12:3456:789a::1]/",
    "https://example.com/v1",
    "http://172.16.0.9",
  ])("may be %s", (text) => {
    expect(checkPrivateUrl(text)).toMatchObject({ ok: true });
  });

  test.each([
    "http://169.254.169.254/latest/meta-data",
    "http://2852039166/",
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://[::ffff:169.254.169.254]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[fe80::1]",
    "http://[ff02::1]",
    "http://[::]",
    "http://0.0.0.0",
    "http://0",
    "http://224.0.0.1",
    "http://255.255.255.255",
    "http://metadata.google.internal.",
    "http://[fd00:ec2::254]",
    "http://168.63.129.16",
    "http://100.100.100.200",
    "http://user:pass@10.0.0.1",
    "http://10.0.0.1\\@example.com",
    "ftp://10.0.0.1",
    "file:///etc/passwd",
    "10.0.0.1",
    "",
  ])("may not be %j", (text) => {
    expect(checkPrivateUrl(text).ok).toBe(false);
  });
});
