import { expect, test } from "vitest";
import { type DeviceLogin, deviceLogin } from "./device-login.ts";

const CODE = { device_code: "d", user_code: "AB\x1b[31mCD", verification_uri: "/device", expires_in: 30, interval: 2 };

/** Signs in against scripted answers; the first is for the code, the others for the polls. */
function scripted(answers: [number, unknown][]) {
  const waits: number[] = [];
  const lines: string[] = [];
  let now = 0;
  const login: DeviceLogin = {
    url: "http://mosaic.test",
    clientId: "mosaic-cli",
    say: (line) => lines.push(line),
    sleep: async (ms) => {
      waits.push(ms);
      now += ms;
    },
    now: () => now,
    fetch: async () => {
      const [status, body] = answers.shift() ?? [400, { error: "authorization_pending" }];
      if (status === 0) throw new TypeError("fetch failed");
      return new Response(JSON.stringify(body), { status });
    },
  };
  return { result: deviceLogin(login), waits, lines };
}

test("polls at the pace it is told, slower when asked to, over a restart of the server", async () => {
  const { result, waits, lines } = scripted([
    [200, CODE],
    [400, { error: "authorization_pending" }],
    [400, { error: "slow_down" }],
    [0, null],
    [200, { access_token: "token" }],
  ]);
  await expect(result).resolves.toBe("token");
  expect(waits).toEqual([2000, 2000, 7000, 7000]);
  expect(lines.join("\n")).toBe("To sign in, open http://mosaic.test/device\nand confirm the code ABCD");
});

test.each<[string, [number, unknown][], RegExp]>([
  [
    "a refusal",
    [
      [200, CODE],
      [400, { error: "access_denied" }],
    ],
    /refused in the browser/,
  ],
  [
    "an expired code",
    [
      [200, CODE],
      [400, { error: "expired_token" }],
    ],
    /has expired; run the command again/,
  ],
  ["a code nobody confirms", [[200, CODE]], /has expired/],
  [
    "another error",
    [
      [200, CODE],
      [400, { error: "invalid_grant", error_description: "No such code" }],
    ],
    /No such code/,
  ],
  ["a server without sign-in by code", [[404, "nothing here"]], /status 404/],
  ["a server that is not there", [[0, null]], /does not answer/],
])("%s ends it in one sentence", async (_, answers, message) => {
  await expect(scripted(answers).result).rejects.toThrow(message);
});
