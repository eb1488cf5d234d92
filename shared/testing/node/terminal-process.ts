/** `mosaic` as a person runs it: in a pseudo-terminal, or with pipes, with a home folder of its own. */
import { spawn as spawnPiped } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { spawn as spawnTerminal } from "@lydell/node-pty";

const MAIN = fileURLToPath(new URL("../../../clients/terminal/main.ts", import.meta.url));

export interface Home {
  path: string;
  env: Record<string, string>;
  remove(): void;
}

/** A fresh folder for settings and state; a run in it knows of no other. */
export function aHome(): Home {
  const path = mkdtempSync(join(tmpdir(), "mosaic-home-"));
  const env = { PATH: process.env.PATH ?? "", TERM: "xterm-256color" };
  return { path, env, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The folders come last: whatever a test sets, nothing is written into the home of whoever runs the tests. */
const environmentOf = ({ path, env }: Home): Record<string, string> => ({
  ...env,
  HOME: path,
  XDG_CONFIG_HOME: join(path, "config"),
  XDG_STATE_HOME: join(path, "state"),
});

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs to the end without a terminal. `stdin` is piped in; without it the pipe is closed at once. */
export function runPiped(home: Home, words: string[], stdin = ""): Promise<Ended> {
  const child = spawnPiped(process.execPath, [MAIN, ...words], { env: environmentOf(home), stdio: "pipe" });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => {
    stdout += String(data);
  });
  child.stderr.on("data", (data) => {
    stderr += String(data);
  });
  child.stdin.end(stdin);
  return new Promise((resolve) => child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr })));
}

export interface TerminalProcess {
  /** Everything written so far, escape sequences included. */
  raw(): string;
  type(keys: string): void;
  resize(columns: number, rows: number): void;
  kill(signal?: string): void;
  exited: Promise<number>;
  /** Waits until the text was written after `mark()`, or from the beginning; answers what was written, as text. */
  shows(text: string | RegExp, withinMs?: number): Promise<string>;
  /** Only what is written from now on counts for `shows`. */
  mark(): void;
}

export function runInTerminal(home: Home, words: string[]): TerminalProcess {
  const size = { cols: 100, rows: 40 };
  const child = spawnTerminal(process.execPath, [MAIN, ...words], {
    ...size,
    env: environmentOf(home),
    cwd: home.path,
  });
  let raw = "";
  let from = 0;
  child.onData((data) => {
    raw += data;
  });
  const exited = new Promise<number>((resolve) => child.onExit(({ exitCode }) => resolve(exitCode)));
  const written = (): string => stripVTControlCharacters(raw.slice(from)).replaceAll("\r", "");
  return {
    raw: () => raw,
    type: (keys) => child.write(keys),
    resize: (columns, rows) => child.resize(columns, rows),
    kill: (signal) => child.kill(signal),
    exited,
    mark: () => {
      from = raw.length;
    },
    shows: async (text, withinMs = 10_000) => {
      const until = Date.now() + withinMs;
      while (Date.now() < until) {
        const now = written();
        if (typeof text === "string" ? now.includes(text) : text.test(now)) return now;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`The terminal did not show ${String(text)}. It showed:\n${written().slice(-3000)}`);
    },
  };
}
