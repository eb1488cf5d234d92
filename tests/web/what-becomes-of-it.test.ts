import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Part } from "../../shared/contract/message.ts";
import { setStage } from "./stage.ts";
import { ToldConversation } from "./told-conversation.ts";
import { answers, questions, say, signUp, wholeAnswer } from "./visitor.ts";

const stage = setStage();
const text = (value: string): Part => ({ type: "text", text: value });
const stateOf = (page: Page, state: string) => page.locator(`[data-state="${state}"]`);

/** A page on a conversation that the test tells. */
async function told(page: Page): Promise<ToldConversation> {
  await say(page, "hello");
  await wholeAnswer(page);
  const conversation = new ToldConversation(new URL(page.url()).pathname.split("/").at(-1) ?? "");
  await conversation.tell(page);
  return conversation;
}

test("a message that a closed tab left behind goes out with the next page, whichever that is", async () => {
  const { page, context } = await stage.visit();
  await signUp(page);
  await say(page, "hello");
  await wholeAnswer(page);
  const address = page.url();
  await page.routeWebSocket(/\/socket$/, (socket) => socket.close());
  await page.reload();
  await page.getByText("What you send is kept here").waitFor();
  await say(page, "left behind");
  await stateOf(page, "sending").waitFor();
  await page.close();
  const next = await context.newPage();
  const sent = next.waitForResponse((response) => response.request().method() === "POST" && response.status() === 202);
  await next.goto("/settings");
  await sent;
  await next.goto(address);
  await wholeAnswer(next, 2);
  expect(await questions(next).getByText("left behind").count()).toBe(1);
});

test("a browser that keeps nothing still sends, and says what that means while it cannot", async () => {
  const { page, problems } = await stage.visit();
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await signUp(page);
  await say(page, "first words");
  expect(await wholeAnswer(page)).toContain("You said: first words");
  await page.routeWebSocket(/\/socket$/, (socket) => socket.close());
  await page.getByRole("link", { name: "New conversation" }).first().click();
  await say(page, "nowhere to stay");
  await page.getByText("This browser cannot keep it.").waitFor();
  await stateOf(page, "unkept").waitFor();
  expect(problems).toEqual([]);
});

test("a message says why it is not through, what the server does with it, and when it is answered", async () => {
  const { page, problems } = await stage.visit();
  await signUp(page);
  const conversation = await told(page);
  const first = conversation.ask("first");
  const turn = conversation.start(first.id);
  conversation.onMessage = ({ id }) =>
    conversation.send({ type: "error", id, code: "rate_limited", message: "Too many at once.", retryAfterMs: 1500 });
  await page.reload();
  await answers(page).first().waitFor();
  await say(page, "what comes next");
  await page.getByText("Not sent yet: Too many at once.").waitFor();
  await stateOf(page, "sending").waitFor();
  let queued = "";
  conversation.onMessage = ({ id, text: words }) => {
    queued = id;
    const { seq } = conversation.ask(words ?? "", id);
    conversation.send({ type: "ack", id, seq, state: "queued", duplicate: false });
  };
  await stateOf(page, "queued").waitFor();
  conversation.complete(turn, [text("one")]);
  await stateOf(page, "answered").waitFor();
  conversation.complete(conversation.start(queued), [text("two")]);
  await stateOf(page, "answered").nth(1).waitFor();
  expect(await page.getByText("Not sent yet").count()).toBe(0);
  expect(problems).toEqual([]);
});

test("while an answer runs, Ctrl+Enter steers it, Enter queues, and it can be stopped with words in the box", async () => {
  const { page } = await stage.visit();
  await signUp(page);
  const conversation = await told(page);
  const first = conversation.ask("first");
  const turn = conversation.start(first.id);
  conversation.onMessage = ({ id, text: words, whenBusy }) => {
    const { seq } = conversation.ask(words ?? "", id);
    conversation.send({
      type: "ack",
      id,
      seq,
      state: whenBusy === "steer" ? "steered" : "queued",
      duplicate: false,
    });
  };
  await page.reload();
  const box = page.getByRole("textbox", { name: "Message" });
  await page.getByRole("button", { name: "Stop the answer" }).waitFor();
  await box.fill("shorter, please");
  await box.press("Control+Enter");
  await stateOf(page, "steered").waitFor();
  await box.fill("and in French");
  await page.getByRole("button", { name: "Steer the answer" }).click();
  await stateOf(page, "steered").nth(1).waitFor();
  await say(page, "later");
  await stateOf(page, "queued").waitFor();
  await box.fill("half a thought");
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await expect.poll(() => conversation.received.filter(({ type }) => type === "turn:stop").length).toBe(1);
  const steered = conversation.received.flatMap((frame) =>
    frame.type === "message:send" && frame.whenBusy === "steer" ? [frame.id] : [],
  );
  conversation.complete(turn, [text("a long begin"), text("court")], steered, [1]);
  // The first is said where it was said, inside the answer; of the second nobody knows where.
  await answers(page).getByText("shorter, please").waitFor();
  await page.getByText("Joined the answer above").waitFor();
  expect(await questions(page).getByText("shorter, please").count()).toBe(1);
  expect(await stateOf(page, "answered").count()).toBe(3);
});

const HOSTILE = 'rm\u202e<img src=x onerror="window.__owned=1">';

test("a tool that needs leave shows what it would do, unmasked, and takes one answer", async () => {
  const { page, problems } = await stage.visit();
  await signUp(page);
  const conversation = await told(page);
  const first = conversation.ask("clean up");
  const turn = conversation.start(first.id);
  const call = { callId: "c1", name: "shell__run", input: { command: HOSTILE }, step: 0 };
  conversation.add({ type: "tool:requested", turnId: turn.turnId, call, needsApproval: true });
  await page.reload();
  const question = page.getByRole("group", { name: "May shell__run run?" });
  await question.waitFor();
  await page.getByText('"command": "rm\\u202e<img').waitFor();
  await question.getByRole("button", { name: "Allow once" }).click();
  expect(await question.getByRole("button", { name: "Deny" }).isDisabled()).toBe(true);
  await expect
    .poll(() => conversation.received.filter(({ type }) => type === "tool:answer"))
    .toMatchObject([{ callId: "c1", decision: "allow-once" }]);
  conversation.add({
    type: "tool:completed",
    turnId: turn.turnId,
    callId: "c1",
    outcome: { output: "3 files removed", isError: false },
  });
  await question.waitFor({ state: "detached" });
  expect(await page.getByText("3 files removed").isVisible()).toBe(false);
  await page.getByText("shell__run").click();
  await page.getByText("3 files removed").waitFor();
  expect(await page.evaluate("window.__owned")).toBeUndefined();
  expect(problems).toEqual([]);
});

test("a database that is away is a quiet line, which goes when it is back", async () => {
  const { page } = await stage.visit();
  await signUp(page);
  const conversation = await told(page);
  conversation.session = { ...conversation.session, storage: "offline" };
  await page.reload();
  const line = page.getByText("The database is away. Everything is kept and will be saved.");
  await line.waitFor();
  conversation.send({ type: "session:info", ...conversation.session, storage: "synced" });
  await line.waitFor({ state: "detached" });
});

test("a viewer reads along and is told how to write, instead of being refused", async () => {
  const { page } = await stage.visit();
  await signUp(page);
  await say(page, "ours");
  await wholeAnswer(page);
  await page.route("**/api/me", async (route) => {
    const response = await route.fetch();
    const me = await response.json();
    const workspaces = me.workspaces.map((workspace: object) => ({ ...workspace, role: "viewer" }));
    await route.fulfill({ response, json: { ...me, workspaces } });
  });
  await page.route(/\/api\/conversations\/[0-9a-f-]{36}$/, async (route) => {
    const response = await route.fetch();
    const ownerUserId = "00000000-0000-7000-8000-000000000001";
    await route.fulfill({ response, json: { ...(await response.json()), ownerUserId } });
  });
  await page.reload();
  await page.getByText("You read along here as a viewer.").waitFor();
  await wholeAnswer(page);
  expect(await page.getByRole("textbox", { name: "Message" }).count()).toBe(0);
  for (const name of ["Edit message", "Answer once more"])
    expect(await page.getByRole("button", { name }).count()).toBe(0);
});

test("a conversation of ten thousand messages opens at its end and can be typed in at once", async () => {
  const { page } = await stage.visit();
  await signUp(page);
  const conversation = await told(page);
  for (let n = 0; n < 5000; n += 1) {
    const { id } = conversation.ask(`question ${n}`);
    conversation.complete(conversation.start(id), [text(`answer **${n}** with \`code\`.\n\n- one\n- two`)]);
  }
  await conversation.tellQuickly(page);
  const began = performance.now();
  await page.reload();
  await answers(page).getByText("answer 4999").waitFor({ timeout: 45_000 });
  const openedMs = performance.now() - began;
  expect(await page.getByRole("article").count()).toBeLessThanOrEqual(200);
  const typedFrom = performance.now();
  await page.getByRole("textbox", { name: "Message" }).pressSequentially("still quick");
  const perKeyMs = (performance.now() - typedFrom) / 11;
  console.info(`10,000 messages: shown after ${Math.round(openedMs)} ms, ${perKeyMs.toFixed(1)} ms a key`);
  // Generous: other suites share the machine. Drawn whole, a key takes seconds.
  expect(perKeyMs).toBeLessThan(500);
  await page.getByRole("button", { name: "Show earlier messages (9,800)" }).click();
  await page.getByText("question 4850", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Show earlier messages (9,600)" }).waitFor();
});
