import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ACCEPTED_URLS, REFUSED_HOSTS, REFUSED_URLS } from "../../testing/providers/url-corpus.ts";
import { checkPrivateUrl, checkPublicUrl } from "./url-guard.ts";

describe("a URL that a user supplies", () => {
  test.each(ACCEPTED_URLS)("may be %s", (text) => {
    expect(checkPublicUrl(text)).toMatchObject({ ok: true });
  });

  test.each(REFUSED_HOSTS)("may not be https://%s, with or without a port and a path", (host) => {
    for (const text of [`https://${host}`, `https://${host}:8443/v1?x=y#z`, `HTTPS://${host}/`]) {
      expect([text, checkPublicUrl(text).ok]).toEqual([text, false]);
    }
  });

  test.each(REFUSED_URLS)("may not be %j", (text) => {
    expect(checkPublicUrl(text).ok).toBe(false);
  });

  test("is judged against more than 200 spellings", () => {
    expect(new Set(REFUSED_URLS).size).toBeGreaterThan(200);
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
    "http://localhost:11434/v1",
    "http://[::1]:11434",
    "http://10.0.0.7:8000/v1",
    "http://192.168.1.20:1234",
    "http://172.20.0.3",
    "http://[fd12:3456:789a::1]:8080",
    "http://nas:11434",
    "http://gpu.lan:11434/",
    "https://gpu.internal/v1",
    "https://models.example.org",
    "http://host.docker.internal:11434",
  ])("may be %s", (text) => {
    expect(checkPrivateUrl(text)).toMatchObject({ ok: true });
  });

  test.each([
    "http://169.254.169.254/latest/meta-data",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://168.63.129.16/",
    "http://100.100.100.200/",
    "http://metadata.google.internal/",
    "http://metadata.google.internal./",
    "http://METADATA/",
    "http://metadata.goog",
    "10.0.0.1",
    "",
    "http://169.254.169.254.nip.io/",
    "http://0.0.0.0:11434",
    "http://0:11434",
    "http://[::]:11434",
    "http://224.0.0.1/",
    "http://[ff02::1]/",
    "http://255.255.255.255/",
    "http://user:pass@10.0.0.1/",
    "ftp://10.0.0.1/",
    "http:10.0.0.1",
    "http://10.0.0.1\\@example.com/",
    "file:///etc/passwd",
  ])("may not be %s", (text) => {
    expect(checkPrivateUrl(text).ok).toBe(false);
  });
});
