import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import * as z from "zod";
import { createSignInDatabase } from "../../shared/adapters/postgres/sign-in-database.ts";
import { buildAuth } from "../../shared/adapters/sign-in/build-auth.ts";
import { ownerSql } from "../../shared/testing/worker/people.ts";
import { anAccount, anApiKey, ask, expectNoSecretTold, join, ORIGIN } from "./real-house.ts";
import { gapsInSignIn, type Known, SIGN_IN_ATTACKS } from "./sign-in-attacks.ts";
import { aVictim, everythingOf, type Victim } from "./victim.ts";

vi.setConfig({ testTimeout: 30_000 });

const WithId = z.object({ id: z.string() });
const Endpoint = z.object({
  path: z.string().optional(),
  options: z.object({
    method: z.union([z.string(), z.array(z.string())]),
    metadata: z.object({ SERVER_ONLY: z.boolean().optional(), scope: z.string().optional() }).nullish(),
  }),
});

/** What better-auth, as this house builds it, answers over HTTP. */
function servedBySignIn(): string[] {
  const address = { connectionString: inject("databaseAuthUrl"), endpoint: inject("databaseEndpoint") };
  const settings = {
    PUBLIC_URL: ORIGIN,
    ALLOWED_ORIGINS: [],
    BETTER_AUTH_SECRET: "0123456789abcdef0123456789abcdef",
    SIGN_UP: "open" as const,
    OIDC_NAME: "x",
  };
  const auth = buildAuth(
    {
      database: createSignInDatabase(address),
      settings,
      mailer: { send: async () => {} },
      accounts: { workspaces: async () => [] },
      events: { revoked: async () => {}, membershipChanged: async () => {} },
      runInBackground: () => {},
    },
    { admit: async () => {}, settle: async () => {} },
    { revoked: async () => {}, membershipChanged: async () => {} },
    null,
  );
  return Object.values(auth.api).flatMap((endpoint) => {
    const { path, options } = Endpoint.parse({ path: Reflect.get(endpoint, "path"), options: endpoint.options });
    if (path === undefined || options.metadata?.SERVER_ONLY) return [];
    return [options.method].flat().map((method) => `${method} ${path}`);
  });
}

let victim: Victim;
let known: Omit<Known, "own">;
let before: Record<string, string>;
const attackers: Record<string, Known["own"]> = {};
beforeAll(async () => {
  victim = await aVictim();
  const { account, teamId } = victim;
  const post = (path: string, body: object, headers: Record<string, string> = account.bearer) =>
    ask(`/api/auth${path}`, { method: "POST", body, headers });
  for (const name of ["stranger", "viewer"]) attackers[name] = await anAttacker(name);
  const colleague = await anAccount("colleague");
  await join(account, teamId, colleague, "member");
  await join(account, teamId, (attackers.viewer as Known["own"]).account, "viewer");
  const guest = { organizationId: teamId, email: "guest@example.com", role: "member" };
  const invitationId = WithId.parse((await post("/organization/invite-member", guest)).json).id;
  const code = z
    .object({ user_code: z.string() })
    .parse((await post("/device/code", { client_id: "mosaic-cli" }, {})).json);
  await ask(`/api/auth/device?user_code=${code.user_code}`, { headers: account.bearer });
  const sql = ownerSql();
  const [member] = await sql`select id from auth.member where user_id = ${account.id} and organization_id = ${teamId}`;
  const [other] = await sql`select id from auth.member where user_id = ${colleague.id} and organization_id = ${teamId}`;
  const [team] = await sql`select slug from auth.organization where id = ${teamId}`;
  const [login] = await sql`select id from auth.account where user_id = ${account.id}`;
  known = {
    victim: account,
    teamId,
    teamSlug: String(team?.slug),
    memberId: String(member?.id),
    colleagueMemberId: String(other?.id),
    invitationId,
    keyId: (await anApiKey(account)).id,
    userCode: code.user_code,
    accountId: String(login?.id),
  };
  before = await worldOf();
}, 60_000);
afterAll(expectNoSecretTold);

async function anAttacker(name: string): Promise<Known["own"]> {
  const account = await anAccount(name);
  const made = await ask("/api/workspaces", { method: "POST", body: { name: "Own" }, headers: account.bearer });
  return { account, teamId: WithId.parse(made.json).id };
}

/** The victim's world and the device code that waits for their word. */
async function worldOf(): Promise<Record<string, string>> {
  const sql = ownerSql();
  const codes = await sql`select user_id, status from auth.device_code where user_code = ${known.userCode}`;
  const members =
    await sql`select id, user_id, role from auth.member where organization_id = ${victim.teamId} order by 1`;
  return { ...(await everythingOf(victim)), code: JSON.stringify(codes), members: JSON.stringify(members) };
}

function request(name: string, named: Record<string, unknown>, headers: Record<string, string>) {
  const [method = "GET", path = ""] = name.split(" ");
  if (method === "POST") return ask(`/api/auth${path}`, { method, body: named, headers });
  const query = new URLSearchParams(
    Object.entries(named).map(([key, value]): [string, string] => [key, String(value)]),
  );
  return ask(`/api/auth${path}?${query}`, { headers });
}

/** Sends every attack; names what was not refused. `mayRead`: routes that show this caller the team, whose member they are. */
async function attack(own: Known["own"], headers: Record<string, string>, mayRead: string[] = []): Promise<string[]> {
  const wrong: string[] = [];
  const words = [victim.account.email, victim.account.token, victim.teamMarker, victim.personalMarker];
  for (const [name, attempts] of Object.entries(SIGN_IN_ATTACKS)) {
    if (typeof attempts !== "function" || mayRead.includes(name)) continue;
    for (const { named, harmless } of attempts({ ...known, own })) {
      const { status, text } = await request(name, named, headers);
      const what = `${name} ${JSON.stringify(named)}: ${status}`;
      if (words.some((word) => text.includes(word))) wrong.push(`${what} tells something`);
      if (status < 400 && !harmless) wrong.push(`${what} ${text.split("\n\n")[1]}`);
    }
  }
  return wrong;
}

describe("sign-in's own routes", () => {
  it("are all judged, each by name", () => {
    const served = servedBySignIn();
    expect(gapsInSignIn(served, SIGN_IN_ATTACKS)).toEqual([]);
    expect(gapsInSignIn([...served, "POST /organization/adopt"], SIGN_IN_ATTACKS)).toEqual([
      "POST /organization/adopt is served and not judged",
    ]);
  });

  it("refuse another user every id of the victim's", async () => {
    const own = attackers.stranger as Known["own"];
    expect(await attack(own, own.account.bearer)).toEqual([]);
    expect(await attack(own, { cookie: own.account.cookie, origin: ORIGIN })).toEqual([]);
    expect(await worldOf()).toEqual(before);
  });

  it("refuse a viewer of the team everything but to see it and to leave it", async () => {
    const own = attackers.viewer as Known["own"];
    const theirRight = [
      "GET /organization/get-active-member-role",
      "GET /organization/get-full-organization",
      "GET /organization/get-organization",
      "GET /organization/list-members",
      "GET /organization/list-invitations",
      "POST /organization/has-permission",
      "POST /organization/set-active",
      "POST /organization/leave",
      "POST /update-session",
    ];
    expect(await attack(own, own.account.bearer, theirRight)).toEqual([]);
    expect(await worldOf()).toEqual(before);
  });

  it("refuse whoever is not signed in, or is no longer", async () => {
    const own = attackers.stranger as Known["own"];
    expect(await attack(own, {})).toEqual([]);
    expect(await attack(own, { authorization: "Bearer nonsense" })).toEqual([]);
    expect(await worldOf()).toEqual(before);
  });

  it("keep the team from whoever made it their active one by a trick", async () => {
    const { account } = attackers.stranger as Known["own"];
    await ask("/api/auth/update-session", {
      method: "POST",
      body: { activeOrganizationId: victim.teamId },
      headers: account.bearer,
    });
    await ownerSql()`update auth.session set active_organization_id = ${victim.teamId} where token = ${account.token}`;
    for (const route of [
      "get-full-organization",
      "get-organization",
      "list-members",
      "list-invitations",
      "get-active-member",
    ]) {
      const { status, text } = await ask(`/api/auth/organization/${route}`, { headers: account.bearer });
      expect([route, status >= 400 || text.endsWith("null"), text.includes(victim.teamMarker)]).toEqual([
        route,
        true,
        false,
      ]);
    }
    const invite = { email: account.email, role: "owner" };
    const asked = { method: "POST", body: invite, headers: account.bearer };
    expect((await ask("/api/auth/organization/invite-member", asked)).status).toBeGreaterThanOrEqual(400);
    expect(await worldOf()).toEqual(before);
  });
});
