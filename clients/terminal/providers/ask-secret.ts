/** Secrets come from a person who types them unseen, or from stdin; never from the command line, which every process can read. */
import { createInterface } from "node:readline";
import { UsageError } from "../usage-error.ts";

const ENTER = /[\r\n]/;
const BACKSPACE = new Set(["\x7f", "\b"]);
const CANCEL = new Set(["\x03", "\x04"]);

/** What has been typed so far, after another key. */
function afterKey(typed: string, key: string): string {
  if (BACKSPACE.has(key)) return typed.slice(0, -1);
  return key < " " ? typed : typed + key;
}

/** Asks at the terminal without showing what is typed. @throws UsageError without a terminal, or when it was cancelled */
export async function askSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) throw new UsageError("There is no terminal to type a key into; pipe it in with --key-stdin.");
  stderr.write(`${question}: `);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = "";
      stdin.on("data", (keys: string) => {
        for (const key of keys) {
          if (CANCEL.has(key)) return reject(new UsageError("Nothing was saved."));
          if (ENTER.test(key)) return resolve(typed.trim());
          typed = afterKey(typed, key);
        }
      });
    });
  } finally {
    stdin.removeAllListeners("data");
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

/** The first lines of stdin, trimmed; as many as are wanted, or fewer. */
export async function readLines(count: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: process.stdin })) {
    lines.push(line.trim());
    if (lines.length === count) break;
  }
  return lines;
}
