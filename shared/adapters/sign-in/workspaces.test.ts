import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestDatabase, type TestDatabase } from "../../testing/postgres/test-database.ts";
import { type Newcomer, type SignInHouse, startSignIn } from "../../testing/sign-in/start-sign-in.ts";
import { createNoMailer } from "../mail/no-mailer.ts";

// Passwords are hashed for real, and the machine may be busy.
vi.setConfig({ testTimeout: 30_000 });

let database: TestDatabase;
let house: SignInHouse;
let owner: Newcomer;
let workspaceId: string;
beforeAll(async () => {
  database = await startTestDatabase();
  house = startSignIn(database);
  owner = await house.newcomer("owner@example.com");
  const made = await house.ask("/organization/create", { name: "Crew", slug: "crew" }, owner.bearer);
  workspaceId = String(made.body.id);
}, 60_000);
afterAll(() => database?.stop());

const authenticate = (headers: Record<string, string>) => house.signIn.authenticate(new Headers(headers));
const roleOf = async (user: Newcomer): Promise<string | undefined> => {
  const proof = await authenticate(user.bearer);
  return proof.state === "signed-in" ? proof.workspaces.find(({ id }) => id === workspaceId)?.role : proof.state;
};
const invite = (email: string, role: unknown, by: Newcomer = owner) =>
  house.ask("/organization/invite-member", { organizationId: workspaceId, email, role }, by.bearer);

async function join(email: string, role: string): Promise<Newcomer> {
  const { body } = await invite(email, role);
  const user = await house.newcomer(email);
  const accepted = await house.ask("/organization/accept-invitation", { invitationId: body.id }, user.bearer);
  expect(accepted.status).toBe(200);
  return user;
}

describe("workspaces", () => {
  it("invites by mail, and lets only the invited address in", async () => {
    const { status, body } = await invite("ann@example.com", "viewer");
    expect(status).toBe(200);
    await house.settled();
    const mail = house.mails.find(({ to }) => to === "ann@example.com");
    expect(mail?.text).toContain(`/invitations/${String(body.id)}`);
    const stranger = await house.newcomer("stranger@example.com");
    const stolen = await house.ask("/organization/accept-invitation", { invitationId: body.id }, stranger.bearer);
    expect(stolen.status).toBe(403);
    const ann = await house.newcomer("ann@example.com");
    expect(await roleOf(ann)).toBeUndefined();
    expect((await house.ask("/organization/accept-invitation", { invitationId: body.id }, ann.bearer)).status).toBe(
      200,
    );
    expect(await roleOf(ann)).toBe("viewer");
    expect((await house.ask("/organization/accept-invitation", { invitationId: body.id }, ann.bearer)).status).toBe(
      400,
    );
  });

  it("lets owners and admins manage people, members and viewers not", async () => {
    const [admin, member, viewer] = [
      await join("admin@example.com", "admin"),
      await join("member@example.com", "member"),
      await join("viewer@example.com", "viewer"),
    ];
    expect((await invite("x1@example.com", "member", admin)).status).toBe(200);
    expect((await invite("x2@example.com", "member", member)).status).toBe(403);
    expect((await invite("x3@example.com", "member", viewer)).status).toBe(403);
    expect((await invite("x4@example.com", "owner", admin)).status).toBe(403);
  });

  it("knows no role but its own four, and one at a time", async () => {
    for (const role of ["emperor", ["admin", "member"], "admin,member"]) {
      const { status } = await invite("role@example.com", role);
      expect(status, String(role)).toBe(400);
    }
  });

  it("tells the house of a changed role, of someone removed and of someone who left", async () => {
    const [promoted, removed, left] = [
      await join("promoted@example.com", "viewer"),
      await join("removed@example.com", "member"),
      await join("left@example.com", "member"),
    ];
    const [row] = await house.rows("select id from auth.member where user_id = $1 and organization_id = $2", [
      promoted.id,
      workspaceId,
    ]);
    const change = { organizationId: workspaceId, memberId: row?.id, role: "member" };
    expect((await house.ask("/organization/update-member-role", change, owner.bearer)).status).toBe(200);
    expect(await roleOf(promoted)).toBe("member");
    const removal = { organizationId: workspaceId, memberIdOrEmail: "removed@example.com" };
    expect((await house.ask("/organization/remove-member", removal, owner.bearer)).status).toBe(200);
    expect((await house.ask("/organization/leave", { organizationId: workspaceId }, left.bearer)).status).toBe(200);
    expect(await roleOf(removed)).toBeUndefined();
    for (const { id } of [promoted, removed, left]) {
      expect(house.heard.membershipChanged).toContainEqual({ userId: id, workspaceId });
    }
  });

  it("keeps outsiders out, and the last owner in", async () => {
    const outsider = await house.newcomer("outsider@example.com");
    const seen = await house.ask(
      `/organization/get-full-organization?organizationId=${workspaceId}`,
      undefined,
      outsider.bearer,
    );
    expect(seen.status).toBe(403);
    expect((await invite("friend@example.com", "member", outsider)).status).toBeGreaterThanOrEqual(400);
    expect((await house.ask("/organization/leave", { organizationId: workspaceId }, owner.bearer)).status).toBe(400);
    expect(
      (await house.ask("/organization/delete", { organizationId: workspaceId }, owner.bearer)).status,
    ).toBeGreaterThanOrEqual(400);
    expect(await roleOf(owner)).toBe("owner");
  });

  it("keeps a personal workspace personal", async () => {
    const proof = await authenticate(owner.bearer);
    const personal = proof.state === "signed-in" ? proof.workspaces.find((one) => one.personal)?.id : undefined;
    const answer = await house.ask(
      "/organization/invite-member",
      { organizationId: personal, email: "p@example.com", role: "member" },
      owner.bearer,
    );
    expect(answer).toMatchObject({ status: 400, body: { code: "INVALID_REQUEST" } });
  });

  it("fails no request because the house did not listen", async () => {
    const deaf = startSignIn(
      database,
      {},
      {
        events: {
          revoked: () => Promise.reject(new Error("deaf")),
          membershipChanged: () => Promise.reject(new Error("deaf")),
        },
      },
    );
    const user = await deaf.newcomer("deaf@example.com");
    expect((await deaf.ask("/sign-out", {}, user.bearer)).status).toBe(200);
    expect(await deaf.signIn.authenticate(new Headers(user.bearer))).toEqual({ state: "expired" });
  });

  it("invites without mail too, but says at once that it cannot send a reset", async () => {
    const mute = startSignIn(database, {}, { mailer: createNoMailer() });
    const invited = await mute.ask(
      "/organization/invite-member",
      { organizationId: workspaceId, email: "m@example.com", role: "member" },
      owner.bearer,
    );
    expect(invited.status).toBe(200);
    for (const email of ["owner@example.com", "nobody@example.com"]) {
      const reset = await mute.ask("/request-password-reset", { email });
      expect(reset.status).toBe(400);
      expect(reset.body.message).toContain("MAIL_API_URL");
    }
  });
});

describe("the device flow", () => {
  const grant = "urn:ietf:params:oauth:grant-type:device_code";
  const begin = async (client_id = "mosaic-cli") => await house.ask("/device/code", { client_id });
  const poll = (device_code: unknown, client_id = "mosaic-cli") =>
    house.ask("/device/token", { grant_type: grant, device_code, client_id });
  const patience = (device: unknown) =>
    house.rows("update auth.device_code set last_polled_at = null where device_code = $1", [device]);

  it("gives a program a session once its user has approved it in the browser", async () => {
    const { body } = await begin();
    expect(body).toMatchObject({ verification_uri: "http://mosaic.test/device", interval: 5 });
    expect(String(body.verification_uri_complete)).toContain(`user_code=${String(body.user_code)}`);
    expect(await poll(body.device_code)).toMatchObject({ status: 400, body: { error: "authorization_pending" } });
    expect(await poll(body.device_code)).toMatchObject({ status: 400, body: { error: "slow_down" } });
    const anonymous = await house.ask("/device/approve", { userCode: body.user_code });
    expect(anonymous.status).toBe(401);
    expect(
      (await house.ask(`/device?user_code=${String(body.user_code)}`, undefined, owner.bearer)).body,
    ).toMatchObject({ status: "pending", client_id: "mosaic-cli" });
    const other = await house.newcomer("other@example.com");
    expect((await house.ask("/device/approve", { userCode: body.user_code }, other.bearer)).status).toBe(403);
    expect((await house.ask("/device/approve", { userCode: body.user_code }, owner.bearer)).status).toBe(200);
    await patience(body.device_code);
    expect((await poll(body.device_code, "mosaic-connector")).status).toBe(400);
    await patience(body.device_code);
    const token = await poll(body.device_code);
    expect(token).toMatchObject({ status: 200, body: { token_type: "Bearer" } });
    expect(await authenticate({ authorization: `Bearer ${String(token.body.access_token)}` })).toMatchObject({
      state: "signed-in",
      user: { id: owner.id },
    });
    expect((await poll(body.device_code)).status).toBe(400);
  });

  it("knows its own two programs only", async () => {
    expect((await begin("mosaic-connector")).status).toBe(200);
    expect(await begin("somebody-else")).toMatchObject({ status: 400, body: { error: "invalid_client" } });
  });

  it("gives nothing after a refusal or too late", async () => {
    const denied = (await begin()).body;
    await house.ask(`/device?user_code=${String(denied.user_code)}`, undefined, owner.bearer);
    expect((await house.ask("/device/deny", { userCode: denied.user_code }, owner.bearer)).status).toBe(200);
    expect(await poll(denied.device_code)).toMatchObject({ status: 400, body: { error: "access_denied" } });
    const late = (await begin()).body;
    await house.rows("update auth.device_code set expires_at = now() - interval '1 second' where device_code = $1", [
      late.device_code,
    ]);
    expect(await poll(late.device_code)).toMatchObject({ status: 400, body: { error: "expired_token" } });
  });
});
