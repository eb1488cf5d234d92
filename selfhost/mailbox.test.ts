import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { receiveMail } from "./mailbox.ts";

let folder: string;
let printed: string[];
const print = (line: string): void => void printed.push(line);
const post = (body: string): Request => new Request("http://mailbox/", { method: "POST", body });
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "mosaic-mail-")), "mail");
  printed = [];
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

it("keeps a letter in a file of its owner's and prints it", async () => {
  const answer = await receiveMail(
    folder,
    post(JSON.stringify({ to: "a@example.org", subject: "Reset", text: "one\ntwo" })),
    print,
  );
  expect(answer.status).toBe(204);
  const [name = ""] = readdirSync(folder);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, name), "utf8")).toMatch(
    /^Date: .+\nTo: a@example.org\nSubject: Reset\n\none\ntwo\n$/,
  );
  expect(printed.slice(0, 3)).toEqual(["Mail to a@example.org: Reset", "  one", "  two"]);
});

it("lets a subject forge no header and steer no terminal", async () => {
  const subject = "x\nBcc: b@example.org\u001b[2J";
  await receiveMail(folder, post(JSON.stringify({ to: "a@example.org", subject, text: "\u001b[31m" })), print);
  const [name = ""] = readdirSync(folder);
  expect(readFileSync(join(folder, name), "utf8").split("\n\n")[0]).not.toMatch(/^Bcc/m);
  expect(printed.join("")).not.toContain("\u001b");
});

it.each(["", "null", "{}", '{"to":"","subject":"s","text":"t"}', '{"to":1,"subject":"s","text":"t"}'])(
  "refuses %j and keeps nothing",
  async (body) => {
    expect((await receiveMail(folder, post(body), print)).status).toBe(400);
    expect(printed).toEqual([]);
  },
);
