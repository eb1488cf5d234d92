import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { textOf } from "../../shared/contract/message.ts";
import { type FakeConversation, ProtocolServer } from "../../shared/testing/node/protocol-server.ts";
import {
  aHome,
  type Home,
  runInTerminal,
  runPiped,
  type TerminalProcess,
} from "../../shared/testing/node/terminal-process.ts";

// Other suites share the machine: what takes milliseconds alone may take seconds.
vi.setConfig({ testTimeout: 30_000 });
const eventually = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000 });

let server: ProtocolServer;
let home: Home;
const running: TerminalProcess[] = [];

beforeEach(async () => {
  server = await new ProtocolServer().start();
  home = aHome();
  home.env.MOSAIC_URL = server.url;
  home.env.MOSAIC_TOKEN = server.token;
});
afterEach(async () => {
  for (const terminal of running.splice(0)) terminal.kill("SIGKILL");
  await server.stop();
  home.remove();
});

function chat(...words: string[]): TerminalProcess {
  const terminal = runInTerminal(home, words);
  running.push(terminal);
  return terminal;
}

const only = (): FakeConversation => {
  const [conversation] = server.conversations.values();
  if (!conversation) throw new Error("no conversation was made");
  return conversation;
};
const added = (conversation: FakeConversation): string[] =>
  conversation.log.flatMap(({ event }) => (event.type === "message:added" ? [textOf(event.message.parts)] : []));

describe("print mode", () => {
  test("prints the answer and nothing else", async () => {
    expect(await runPiped(home, ["-p", "hello"])).toEqual({ code: 0, stdout: "You said: hello\n", stderr: "" });
  });

  test("--json prints exactly one object", async () => {
    const { code, stdout } = await runPiped(home, ["-p", "hello", "--json"]);
    const answer: unknown = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(answer).toEqual({
      conversationId: only().id,
      messageId: expect.any(String),
      text: "You said: hello",
      receipt: expect.objectContaining({ reason: "The only model here." }),
      usage: { inputTokens: 10, outputTokens: 5, cachedTokens: 0 },
    });
  });

  test("what is piped in is added to the text, and can be all of it", async () => {
    expect((await runPiped(home, ["-p", "Sum this up:"], "a text\n")).stdout).toContain(
      "You said: Sum this up:\n\na text",
    );
    expect((await runPiped(home, ["-p"], "only this")).stdout).toBe("You said: only this\n");
  });

  test("-c goes on with the latest conversation or the one named, --model goes with the message", async () => {
    const first = server.create();
    const latest = server.create();
    await runPiped(home, ["-c", "-p", "to the latest", "--model", "fake-2"]);
    await runPiped(home, ["-p", "to the first", "-c", first.id]);
    expect(added(latest)).toEqual(["to the latest"]);
    expect(added(first)).toEqual(["to the first"]);
    expect(latest.received).toContainEqual(expect.objectContaining({ type: "message:send", model: "fake-2" }));
  });

  test("a connection that dies in the middle changes nothing", async () => {
    server.onConversation = (conversation) => {
      conversation.faults.dropBeforeAck = 1;
    };
    expect((await runPiped(home, ["-p", "hello"])).stdout).toBe("You said: hello\n");
    expect(added(only())).toEqual(["hello"]);
  });

  test("escape sequences of a model do not reach the terminal", async () => {
    const hostile = "a\x1b]0;title\x07b\x1b[2Jc\x9b31md\x07\u202ee\r\nf";
    server.onConversation = (conversation) => {
      conversation.script = () => ({ parts: [{ type: "text", text: hostile }], pieceLength: 3, everyMs: 0 });
    };
    expect((await runPiped(home, ["-p", "x"])).stdout).toBe("abcde\nf\n");
  });

  test("a text that no message holds is refused with the limit, and nothing is made for it", async () => {
    const { code, stdout, stderr } = await runPiped(home, ["-p", "sum"], "x".repeat(1_000_000));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^mosaic: .*1,000,005 of at most 524,288 characters.*\n$/);
    expect(server.conversations.size).toBe(0);
  });

  test("a refused message leaves no conversation of its own behind, and takes none of yours away", async () => {
    server.onConversation = (conversation) => {
      conversation.faults.refuse = { code: "conflict", message: "Not like this." };
    };
    expect((await runPiped(home, ["-p", "x"])).stderr).toBe("mosaic: Not like this.\n");
    expect(server.conversations.size).toBe(0);
    const yours = server.create();
    expect((await runPiped(home, ["-p", "x", "-c"])).stderr).toBe("mosaic: Not like this.\n");
    expect([...server.conversations.keys()]).toEqual([yours.id]);
  });

  test("a failed answer is one sentence and a non-zero exit", async () => {
    server.onConversation = (conversation) => {
      conversation.script = () => ({ parts: [], pieceLength: 1, everyMs: 0, failWith: "The provider is overloaded." });
    };
    expect(await runPiped(home, ["-p", "x"])).toEqual({
      code: 1,
      stdout: "",
      stderr: "mosaic: The provider is overloaded.\n",
    });
  });

  test.each([
    ["nobody is signed in", { MOSAIC_TOKEN: "" }, ["-p", "x"], /not signed in.*`npx mosaic login`/],
    ["the token is wrong", { MOSAIC_TOKEN: "wrong" }, ["-p", "x"], /does not accept this token/],
    ["nothing answers", { MOSAIC_URL: "http://127.0.0.1:9" }, ["-p", "x"], /does not answer at http:\/\/127.0.0.1:9/],
    [
      "the conversation is not there",
      {},
      ["-p", "x", "-c", "00000000-0000-4000-8000-000000000000"],
      /no such conversation/,
    ],
    ["there is none to go on with", {}, ["-p", "x", "-c"], /no conversation to go on with/],
    [
      "nothing answers and nobody is signed in",
      { MOSAIC_TOKEN: "", MOSAIC_URL: "http://127.0.0.1:9" },
      ["-p", "x"],
      /does not answer at http:\/\/127.0.0.1:9/,
    ],
    ["it is no terminal", {}, [], /needs a terminal/],
  ])("when %s it says so in one sentence", async (_, env, words, message) => {
    Object.assign(home.env, env);
    const { code, stdout, stderr } = await runPiped(home, words);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("what was typed", () => {
  test.each([
    [["-p"], /There is nothing to ask: npx mosaic -p "text"\./],
    [["-p", ""], /There is nothing to ask/],
    [["-p", "  "], /There is nothing to ask/],
    [["-p", "/usage"], /`\/usage` is about a conversation: add -c/],
    [["-p", "/help\nme"], /one line/],
    [["logn"], /did you mean `npx mosaic login`/],
  ])("%j is refused in one sentence with exit code 2, and makes no conversation", async (words, message) => {
    const { code, stdout, stderr } = await runPiped(home, words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(server.conversations.size).toBe(0);
  });

  test("a slash command is carried out and not sent to a model", async () => {
    const { code, stdout } = await runPiped(home, ["-p", "/help", "--json"]);
    expect({ code, answer: JSON.parse(stdout) }).toEqual({
      code: 0,
      answer: { text: expect.stringMatching("/usage: ") },
    });
    expect(server.conversations.size).toBe(0);
    const conversation = server.create();
    expect((await runPiped(home, ["-c", "-p", "/help"])).stdout).toBe("Commands: /help\n");
    expect((await runPiped(home, ["-c", "-p", "/help", "--json"])).stdout).toContain(conversation.id);
    expect(added(conversation)).toEqual([]);
    expect(await runPiped(home, ["-c", "-p", "/usage"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no command \/usage/),
    });
  });

  test("a text that only looks like a command is a question", async () => {
    expect((await runPiped(home, ["-p", "/etc/hosts?"])).stdout).toBe("You said: /etc/hosts?\n");
  });
});

test("a run under test writes into its own folder, even where a test sets another", async () => {
  const elsewhere = aHome();
  const folder = elsewhere.path;
  Object.assign(home.env, { MOSAIC_TOKEN: "", HOME: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder });
  server.deviceApproved = true;
  expect(await runPiped(home, ["login"])).toMatchObject({ code: 0, stderr: "" });
  expect(readdirSync(folder)).toEqual([]);
  expect(readdirSync(join(home.path, "config"))).toEqual(["mosaic"]);
  elsewhere.remove();
});

describe("an access that ends", () => {
  const endSignIn = (): void => void Object.assign(server, { token: "another" });

  test.each([4001, 4003])("a chat whose sign-in ended (close code %i) says so and leaves", async (code) => {
    const terminal = chat();
    await terminal.shows("synced");
    endSignIn();
    only().cut(code);
    await terminal.shows(`Your sign-in at ${server.url} has ended. Run \`npx mosaic login\` again.`);
    expect(await terminal.exited).toBe(1);
  });

  test("a chat that was closed to this person alone says that, while the sign-in still holds", async () => {
    const terminal = chat();
    await terminal.shows("synced");
    only().cut(4003);
    expect(await terminal.shows("withdrawn")).not.toContain("sign-in at");
    expect(await terminal.exited).toBe(1);
  });

  test("a sign-in that ends while an answer is awaited is told on standard error", async () => {
    server.onConversation = (conversation) => {
      conversation.script = () => {
        endSignIn();
        conversation.cut(4003);
        return { parts: [], pieceLength: 1, everyMs: 0 };
      };
    };
    const { url } = server;
    const { code, stderr } = await runPiped(home, ["-p", "x"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `mosaic: Your sign-in at ${url} has ended. Run \`npx mosaic login\` again.\n`,
    });
  });
});

describe("signing in", () => {
  test("login shows address and code, waits for the approval and keeps the token for its owner alone", async () => {
    home.env.MOSAIC_TOKEN = "";
    const terminal = chat("login");
    await terminal.shows("ABCD2345");
    await terminal.shows("/device?user_code=ABCD2345");
    server.deviceApproved = true;
    await terminal.shows("Signed in at");
    expect(await terminal.exited).toBe(0);
    const file = join(home.path, "config", "mosaic", "credentials.json");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ [server.url]: { token: server.token } });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await runPiped(home, ["-p", "hello"])).stdout).toBe("You said: hello\n");
    expect((await runPiped(home, ["logout"])).stdout).toContain("Signed out");
    expect(server.requests).toContain("POST /api/auth/sign-out");
    expect((await runPiped(home, ["-p", "hello"])).stderr).toContain("mosaic login");
  });

  test("chatting without a sign-in begins with one", async () => {
    home.env.MOSAIC_TOKEN = "";
    server.deviceApproved = true;
    const terminal = chat();
    await terminal.shows("ABCD2345");
    await terminal.shows("Signed in at");
    await terminal.shows("fake-model");
  });
});

describe("chatting", () => {
  test("an answer streams in, with the model and the cost under it and the state below", async () => {
    const terminal = chat();
    await terminal.shows("A talk · fake-model · 1.2k tokens · 25% context · synced");
    terminal.type("hello there\r");
    await terminal.shows("You said: hello there");
    await terminal.shows("→ fake-model · The only model here. · $0.0031");
    terminal.type("\x04");
    expect(await terminal.exited).toBe(0);
    await terminal.shows(`npx mosaic -c ${only().id}`);
  });

  test("-c shows what was said before, and Up brings it back", async () => {
    const conversation = server.create();
    conversation.store("00000000-0000-4000-8000-000000000001", "an old question");
    const terminal = chat("-c");
    await terminal.shows("an old question");
    await terminal.shows("You said: an old question");
    terminal.type("\x1b[A");
    await eventually(() => terminal.shows(/an old question[\s\S]*an old question[\s\S]*an old question/));
    terminal.type("\r");
    await eventually(() => expect(added(conversation)).toEqual(["an old question", "an old question"]));
  });

  test("thinking is folded until Ctrl+T", async () => {
    server.onConversation = (conversation) => {
      const parts = [
        { type: "thinking" as const, text: "secret musings" },
        { type: "text" as const, text: "**bold** answer" },
      ];
      conversation.script = () => ({ parts, pieceLength: 4, everyMs: 0 });
    };
    const terminal = chat();
    await terminal.shows("synced");
    terminal.type("think\r");
    expect(await terminal.shows("$0.0031")).not.toContain("secret musings");
    expect(await terminal.shows("bold answer")).toContain("2 words");
    terminal.type("\x14");
    await terminal.shows("secret musings");
  });

  test("Esc stops the running answer", async () => {
    server.onConversation = (conversation) => {
      conversation.script = () => ({
        parts: [{ type: "text", text: "word ".repeat(500) }],
        pieceLength: 5,
        everyMs: 10,
      });
    };
    const terminal = chat();
    await terminal.shows("synced");
    terminal.type("tell\r");
    await terminal.shows("word word");
    terminal.type("\x1b");
    await terminal.shows("stopped");
  });

  test("Ctrl+J breaks the line, Ctrl+C clears, and twice exits", async () => {
    const terminal = chat();
    await terminal.shows("synced");
    terminal.type("thrown away");
    await terminal.shows("thrown away");
    terminal.type("\x03");
    await terminal.shows("once more exits");
    terminal.type("one\x0atwo\r");
    await eventually(() => expect(added(only())).toEqual(["one\ntwo"]));
    await new Promise((resolve) => setTimeout(resolve, 2100));
    terminal.type("\x03");
    terminal.type("\x03");
    expect(await terminal.exited).toBe(0);
  });

  test("commands are answered by the server, /new begins another conversation", async () => {
    const terminal = chat();
    await terminal.shows("synced");
    terminal.type("/help\r");
    await terminal.shows("Commands: /help");
    terminal.type("/hepl\r");
    await terminal.shows("There is no command /hepl.");
    terminal.type("/new\r");
    await eventually(() =>
      expect(server.requests.filter((route) => route === "POST /api/conversations")).toHaveLength(2),
    );
    await terminal.shows(/synced[\s\S]*synced/);
    terminal.type("/quit\r");
    expect(await terminal.exited).toBe(0);
  });

  test("a conversation in which nothing was said is not left behind, one that was there before is", async () => {
    const before = server.create();
    const terminal = chat();
    await terminal.shows("synced");
    expect(server.conversations.size).toBe(2);
    terminal.type("\x04");
    expect(await terminal.exited).toBe(0);
    const again = chat("-c");
    await again.shows("synced");
    again.type("\x04");
    expect(await again.exited).toBe(0);
    expect([...server.conversations.keys()]).toEqual([before.id]);
  });

  test("a lost connection is told, and what was sent meanwhile goes out by itself", async () => {
    const terminal = chat();
    await terminal.shows("synced");
    const port = Number(new URL(server.url).port);
    await server.stop();
    await terminal.shows("The connection is lost");
    terminal.type("while away\r");
    await terminal.shows("sending…");
    await server.start(port);
    await terminal.shows("You said: while away", 20_000);
    expect(added(only())).toEqual(["while away"]);
  });

  test("killing the terminal loses nothing that was sent", async () => {
    const first = chat();
    await first.shows("synced");
    const port = Number(new URL(server.url).port);
    await server.stop();
    await first.shows("The connection is lost");
    first.type("survives the kill\r");
    await first.shows("sending…");
    first.kill("SIGKILL");
    await first.exited;
    await server.start(port);
    const second = chat("-c");
    await second.shows("You said: survives the kill");
    expect(added(only())).toEqual(["survives the kill"]);
  });

  test("what was left in another conversation goes out with the next start, wherever that is", async () => {
    const first = chat();
    await first.shows("synced");
    const port = Number(new URL(server.url).port);
    await server.stop();
    await first.shows("The connection is lost");
    first.type("left behind\r");
    await first.shows("sending…");
    first.kill("SIGKILL");
    await first.exited;
    await server.start(port);
    const second = chat();
    await second.shows("went out now");
    expect(added(only())).toEqual(["left behind"]);
  });

  test("a hostile answer cannot write escape sequences to the screen", async () => {
    const hostile =
      "\x1b]0;pwned\x07 \x1b]52;c;cHduZWQ=\x07 \x9b2J &#27;[8m [safe](https://evil.example/\x1b[31m) `\x1b[5m` end";
    server.onConversation = (conversation) => {
      conversation.script = () => ({ parts: [{ type: "text", text: hostile }], pieceLength: 6, everyMs: 0 });
    };
    const terminal = chat();
    await terminal.shows("synced");
    terminal.type("go\r");
    await terminal.shows("$0.0031");
    for (const sequence of ["\x1b]0;pwned", "\x1b]52", "\x9b", "\x1b[8m", "\x1b[5m", "\x1b[31m"]) {
      expect(terminal.raw()).not.toContain(sequence);
    }
    await terminal.shows("evil.example");
  });

  test("a narrow window, and one that changes, still shows the talk", async () => {
    const terminal = chat();
    await terminal.shows("synced");
    terminal.resize(20, 10);
    terminal.type("a long message that wraps in a narrow window\r");
    await terminal.shows("You said:");
    terminal.resize(120, 50);
    await terminal.shows("→ fake-model · The only model here.");
  });

  test("SIGTERM ends the chat and gives the terminal back", async () => {
    const terminal = chat();
    await terminal.shows("synced");
    terminal.kill("SIGTERM");
    expect(await terminal.exited).toBe(0);
    expect(terminal.raw()).toContain("\x1b[?2004l");
  });
});
