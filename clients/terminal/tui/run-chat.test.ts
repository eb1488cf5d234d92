import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { aSession, type FakeConversation, ProtocolServer } from "../../../shared/testing/node/protocol-server.ts";
import {
  aHome,
  type Home,
  runInTerminal,
  type TerminalProcess,
} from "../../../shared/testing/node/terminal-process.ts";

// Other suites share the machine: what takes milliseconds alone may take seconds.
vi.setConfig({ testTimeout: 30_000 });
const eventually = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 15_000 });

let server: ProtocolServer;
let home: Home;
let terminal: TerminalProcess;
let conversation: FakeConversation;

/** A chat in which an answer is being written, slowly. */
beforeEach(async () => {
  server = await new ProtocolServer().start();
  home = aHome();
  Object.assign(home.env, { MOSAIC_URL: server.url, MOSAIC_TOKEN: server.token });
  server.onConversation = (made) => {
    made.script = () => ({ parts: [{ type: "text", text: "word ".repeat(400) }], pieceLength: 5, everyMs: 50 });
  };
  terminal = runInTerminal(home, []);
  await terminal.shows("synced", 20_000);
  const [made] = server.conversations.values();
  if (!made) throw new Error("A conversation was made.");
  conversation = made;
  terminal.type("begin\r");
  await terminal.shows("word word");
});
afterEach(async () => {
  terminal.kill("SIGKILL");
  await server.stop();
  home.remove();
});

const sent = () =>
  conversation.received.flatMap((frame) => (frame.type === "message:send" ? [[frame.text, frame.whenBusy]] : []));

test("while an answer runs Enter queues, Alt+Enter and /steer steer it", async () => {
  terminal.type("later\r");
  await eventually(() => expect(sent()).toContainEqual(["later", "queue"]));
  terminal.type("shorter\x1b\r");
  await eventually(() => expect(sent()).toContainEqual(["shorter", "steer"]));
  terminal.type("/steer in French\r");
  await eventually(() => expect(sent()).toContainEqual(["in French", "steer"]));
});

test("a tool that needs leave is shown unmasked and answered with one key, which types nothing", async () => {
  const started = conversation.log.find(({ event }) => event.type === "turn:started")?.event;
  if (started?.type !== "turn:started") throw new Error("A turn was started.");
  const { turnId } = started;
  const call = { callId: "c1", name: "shell__run", input: { command: "rm \u202e-rf\u001b[2J" }, step: 0 };
  conversation.append({ type: "tool:requested", turnId, call, needsApproval: true });
  await terminal.shows("May `shell__run` run with");
  await terminal.shows("\\u202e-rf");
  await terminal.shows("y once · a always · n no");
  terminal.type("a");
  await eventually(() =>
    expect(conversation.received).toContainEqual(
      expect.objectContaining({ type: "tool:answer", callId: "c1", decision: "allow-always" }),
    ),
  );
  await terminal.shows("Your answer is on its way");
  conversation.append({ type: "tool:completed", turnId, callId: "c1", outcome: { output: "gone", isError: false } });
  await terminal.shows("✓ gone");
  terminal.type("y and more\r");
  await eventually(() => expect(sent()).toContainEqual(["y and more", "queue"]));
});

test("a database that is away is a quiet line", async () => {
  conversation.broadcast({ type: "session:info", ...aSession(conversation.id), storage: "offline" });
  await terminal.shows("The database is away. Everything is kept and will be saved.");
});
