import { v7 as newId } from "uuid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { CreateConversation } from "../../shared/contract/conversation.ts";
import { ownerSql } from "../../shared/testing/worker/people.ts";
import { defineRoute } from "../../workers/routes/route.ts";
import { routes, routeTable } from "../../workers/routes/route-table.ts";
import { buildRequest, type Case, gapsIn, isChosen, type Place, placeKey, placesOf, planFor, RECIPES } from "./plan.ts";
import {
  type Account,
  type Answer,
  anAccount,
  anotherSession,
  ask,
  expectNoSecretTold,
  join,
  ORIGIN,
  signOut,
} from "./real-house.ts";
import { aConnector, aConversation, aVictim, everythingOf, type Marked, type Victim } from "./victim.ts";

const PLAN = planFor(routes, RECIPES);
const Problem = z.object({ code: z.string() });
const Ticket = z.object({ ticket: z.string() });

let victim: Victim;
let before: Record<string, string>;
/** Which places were tried with something of the victim's. */
const tried = new Set<string>();

interface Attacker {
  headers: Record<string, string>;
  own: Marked;
}

async function anAttacker(name: string): Promise<{ account: Account; attacker: Attacker }> {
  const account = await anAccount(name);
  const connectorId = await aConnector(account, `machine of ${name}`);
  const body = { kind: "ollama", displayName: `provider of ${name}`, config: { connectorId } };
  const provider = await ask("/api/providers", { method: "POST", body, headers: account.bearer });
  const providerId = z.object({ id: z.string() }).parse(provider.json).id;
  const own = await aConversation(account, account.personalWorkspaceId, `own of ${name}`, { providerId, connectorId });
  return { account, attacker: { headers: account.bearer, own } };
}

const teammates: Record<string, { account: Account; attacker: Attacker }> = {};
let stranger: Attacker;
let neighbour: Attacker;
beforeAll(async () => {
  victim = await aVictim();
  stranger = (await anAttacker("stranger")).attacker;
  const other = await anAttacker("neighbour");
  neighbour = other.attacker;
  const team = await ask("/api/workspaces", {
    method: "POST",
    body: { name: "Other team" },
    headers: other.account.bearer,
  });
  const { id } = z.object({ id: z.string() }).parse(team.json);
  await join(other.account, id, await anAccount("colleague"), "member");
  for (const name of ["viewer", "watcher", "reader"]) {
    const one = await anAttacker(name);
    await join(victim.account, victim.teamId, one.account, "viewer");
    teammates[name] = one;
  }
  before = await everythingOf(victim);
}, 60_000);
afterAll(expectNoSecretTold);

function teammate(name: string): Attacker {
  const found = teammates[name]?.attacker;
  if (!found) throw new Error(`nobody is called ${name}`);
  return found;
}

async function aTicketOfTheVictim(conversationId: string): Promise<string> {
  const headers = { ...victim.account.bearer, origin: ORIGIN };
  const made = await ask(`/api/conversations/${conversationId}/tickets`, { method: "POST", headers });
  return Ticket.parse(made.json).ticket;
}

/** A place in the victim's list, as this one writes its cursors. */
const cursorOf = ({ operationId }: Case["route"], { providerId, connectorId }: Marked): string =>
  ({
    listConversations: victim.cursor,
    listProviders: `1.${providerId}`,
    listConnectors: connectorId,
    listModels: `1 ${providerId}/model`,
    refreshModels: `1 ${providerId}/model`,
    listJobs: victim.cursor,
  })[operationId] ?? "1";

async function valueIn({ route }: Pick<Case, "route">, place: Place, of: Marked): Promise<string> {
  switch (place.of) {
    case "conversation":
      return of.id;
    case "message":
      return of.messageId;
    case "turn":
      return of.turnId;
    case "workspace":
      return of.workspaceId;
    case "ticket":
      return await aTicketOfTheVictim(of.id);
    case "provider":
      return of.providerId;
    case "connector":
      return of.connectorId;
    case "login":
      return victim.loginId;
    case "cursor":
      return cursorOf(route, of);
    case "idempotency-key":
      return victim.idempotencyKey;
    default:
      return newId(); // nobody can have one yet
  }
}

/** Runs a case as someone, with what is the victim's in its foreign places. */
async function attempt(one: Case, headers: Record<string, string>, target: Marked, own: Marked): Promise<Answer> {
  const values = new Map<string, string>();
  for (const place of placesOf(one.route)) {
    const theirs = one.foreign.some((each) => placeKey(each) === placeKey(place));
    values.set(
      placeKey(place),
      theirs ? await valueIn(one, place, target) : place.of === "ticket" ? "" : await valueIn(one, place, own),
    );
    if (theirs) tried.add(`${one.route.operationId} ${placeKey(place)}`);
  }
  tried.add(one.route.operationId);
  const { path, ...request } = buildRequest(one, (place) => values.get(placeKey(place)) ?? "");
  const answer = await ask(path, { ...request, headers: { ...headers, ...request.headers } });
  answer.socket?.accept();
  answer.socket?.close(1000, "seen");
  return answer;
}

const codeOf = (answer: Answer): string => Problem.safeParse(answer.json).data?.code ?? "";

function expectSilent(answer: Answer, label: string, allowed: string[] = []): void {
  const { personal, privateInTeam, shared, personalMarker, providerMarker, teamMarker, account } = victim;
  const conversations = [personal.marker, privateInTeam.marker, shared.marker];
  const words = [...conversations, personalMarker, providerMarker, teamMarker, account.email];
  const told = words.filter((word) => !allowed.includes(word) && answer.text.includes(word));
  expect([label, told]).toEqual([label, []]);
}

const isTicket = (place: Place) => place.of === "ticket";

const isUnknowable = ({ recipe, foreign }: Case): boolean =>
  foreign.length > 0 && foreign.every((place) => recipe.unknowable?.includes(placeKey(place)));

/** What someone gets who has no right to the target at all. */
function expectedFromOutside(one: Case): string {
  const { recipe, foreign } = one;
  if (recipe.adminOnly) return "403";
  if (foreign.some(isTicket)) return "401";
  if (isUnknowable(one)) return "400";
  return foreign.every((place) => isChosen(recipe, place)) ? "harmless" : "404";
}

/** What a viewer gets where the target is shared with them: reading, and nothing else. */
function expectedOfViewer(one: Case): string {
  const { route, recipe, foreign } = one;
  if (recipe.adminOnly) return "403";
  if (foreign.some(isTicket)) return "401";
  const root = foreign.find(({ of }) => of === "conversation" || of === "workspace" || of === "provider");
  if (!root || isUnknowable(one)) return expectedFromOutside(one);
  if (foreign.some((place) => recipe.misfits?.includes(placeKey(place)))) return "400";
  const strange = foreign.some((place) => place.of === "agent" || place.of === "personality");
  if (route.method === "get" || recipe.viewerMay) return strange ? "404" : "harmless";
  return "403";
}

const outcome = (answer: Answer, { foreign }: Case): string => {
  const code = codeOf(answer);
  // A key that the caller used with another body before; one that only another used must be as new.
  const keyOfOnesOwn = code === "idempotency_conflict" && foreign.length > 1;
  if (answer.status < 400 || keyOfOnesOwn) return "harmless";
  return answer.status === 403 && code === "forbidden" ? "403" : String(answer.status);
};

interface Walk {
  attacker: () => Attacker;
  target: () => Marked;
  expected: (one: Case) => string;
  /** Words of the victim's that this walker may read. */
  mayRead?: () => string[];
}

/** Every case in turn; all that went otherwise than it must, by name. */
async function walk({ attacker, target, expected, mayRead = () => [] }: Walk): Promise<void> {
  const wrong: string[] = [];
  const { headers, own } = attacker();
  for (const one of PLAN) {
    const answer = await attempt(one, headers, target(), own);
    expectSilent(answer, one.label, mayRead());
    const [got, wanted] = [outcome(answer, one), expected(one)];
    if (got !== wanted) wrong.push(`${one.label}: ${got} (${codeOf(answer)}) where it must be ${wanted}`);
  }
  expect(wrong).toEqual([]);
}

describe("the plan", () => {
  it("covers every endpoint and every id of the route table", () => {
    expect(gapsIn(routes, RECIPES)).toEqual([]);
    expect(routeTable.map(({ operationId }) => operationId)).toEqual(routes.map(({ operationId }) => operationId));
    for (const { operationId, ids } of routeTable) {
      for (const id of ids) {
        const alone = PLAN.some(
          ({ route, foreign }) => route.operationId === operationId && foreign.length === 1 && foreign[0] === id,
        );
        expect([operationId, placeKey(id), alone]).toEqual([operationId, placeKey(id), true]);
      }
    }
  });

  it("misses a new endpoint, and an id that nobody declared, by name", () => {
    const madeUp = defineRoute({
      method: "put",
      path: "/api/secrets/{id}",
      operationId: "putSecret",
      summary: "x",
      tag: "x",
      query: z.strictObject({ workspaceId: z.string() }),
      body: CreateConversation,
      answer: { status: 204, description: "x" },
      handle: async () => undefined,
    });
    expect(gapsIn([...routes, madeUp], RECIPES)).toEqual([
      "putSecret (put /api/secrets/{id}) has no recipe",
      ...["path.id", "query.workspaceId", "body.workspaceId", "body.agentId", "body.personalityId"].map(
        (key) => `putSecret (put /api/secrets/{id}) takes ${key}, which its \`ids\` do not declare`,
      ),
    ]);
    expect(gapsIn(routes.slice(1), RECIPES)).toEqual(["getLive has a recipe and no route"]);
  });
});

describe("someone without a sign-in that holds", () => {
  async function refusesEverywhere(headers: Record<string, string>, codes: string[]): Promise<void> {
    const wrong: string[] = [];
    for (const one of PLAN.filter(({ foreign }) => !foreign.some(isTicket))) {
      const answer = await attempt(one, headers, victim.personal, victim.shared);
      expectSilent(answer, one.label);
      const open = one.route.signIn === "none";
      if (open ? answer.status !== 200 : answer.status !== 401 || !codes.includes(codeOf(answer)))
        wrong.push(`${one.label}: ${answer.status} ${codeOf(answer)}`);
      if (!open && answer.headers.get("content-type") !== "application/problem+json")
        wrong.push(`${one.label}: is no problem+json`);
    }
    expect(wrong).toEqual([]);
    expect(await everythingOf(victim)).toEqual(before);
  }

  it("gets 401 everywhere when anonymous", () => refusesEverywhere({}, ["unauthenticated"]));

  it("gets 401 everywhere with a session of the victim's own that has expired", async () => {
    const session = await anotherSession(victim.account);
    await ownerSql()`update auth.session set expires_at = now() - interval '1 second' where token = ${session.token}`;
    before = await everythingOf(victim);
    await refusesEverywhere(session.bearer, ["expired"]);
    expect((await ask("/api/me", { headers: { cookie: session.cookie } })).status).toBe(401);
  });

  it("gets 401 everywhere with a session of the victim's own that was signed out", async () => {
    const session = await anotherSession(victim.account);
    await signOut(session);
    await refusesEverywhere(session.bearer, ["expired"]);
    expect((await ask("/api/me", { headers: { cookie: session.cookie } })).status).toBe(401);
  });

  it("reads nothing of anyone's in the pages that are open to all", async () => {
    for (const path of ["/api/openapi.json", "/api/docs", "/health/live", "/health/ready", "/api/nothing"])
      expectSilent(await ask(path), path);
  });
});

describe("someone with a sign-in of their own", () => {
  it("finds nothing of another user's anywhere, and changes nothing", async () => {
    await walk({ attacker: () => stranger, target: () => victim.personal, expected: expectedFromOutside });
    expect(await everythingOf(victim)).toEqual(before);
  });

  it("finds nothing anywhere as a member of another workspace, and changes nothing", async () => {
    await walk({ attacker: () => neighbour, target: () => victim.shared, expected: expectedFromOutside });
    expect(await everythingOf(victim)).toEqual(before);
  });

  it("finds nothing private as a viewer of the same workspace, and changes nothing", async () => {
    const mayRead = () => [victim.shared.marker, victim.teamMarker];
    await walk({
      attacker: () => teammate("viewer"),
      target: () => victim.personal,
      expected: expectedFromOutside,
      mayRead,
    });
    const inTeam = { ...victim.privateInTeam, workspaceId: victim.personal.workspaceId };
    await walk({ attacker: () => teammate("watcher"), target: () => inTeam, expected: expectedFromOutside, mayRead });
    expect(await everythingOf(victim)).toEqual(before);
  });

  it("reads what is shared as a viewer, and writes none of it", async () => {
    const mayRead = () => [victim.shared.marker, victim.teamMarker, victim.providerMarker];
    const reader = teammate("reader");
    const read = await ask(`/api/conversations/${victim.shared.id}/messages`, { headers: reader.headers });
    expect(read.text).toContain(victim.shared.marker);
    await walk({ attacker: () => reader, target: () => victim.shared, expected: expectedOfViewer, mayRead });
    expect(await everythingOf(victim)).toEqual(before);
  });

  it("was tried in every place of every endpoint", () => {
    const wanted = routes.flatMap((route) => [
      route.operationId,
      ...placesOf(route).map((place) => `${route.operationId} ${placeKey(place)}`),
    ]);
    expect(wanted.filter((each) => !tried.has(each))).toEqual([]);
  });
});
