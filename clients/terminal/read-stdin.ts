import { fstatSync } from "node:fs";

/** A pipe that was only inherited may never say anything: with a text given, it is not waited for longer than this. */
const FIRST_BYTE_WITHIN_MS = 3000;

/** What is piped in; empty from a terminal or a device. */
export async function readStdin(isNeeded: boolean): Promise<string> {
  if (process.stdin.isTTY || !carriesData()) return "";
  const chunks: string[] = [];
  process.stdin.setEncoding("utf8");
  return await new Promise<string>((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      process.stdin.removeAllListeners();
      process.stdin.destroy();
      resolve(chunks.join(""));
    };
    const timer = isNeeded ? undefined : setTimeout(finish, FIRST_BYTE_WITHIN_MS);
    process.stdin.on("data", (chunk: string) => {
      clearTimeout(timer);
      chunks.push(chunk);
    });
    process.stdin.on("end", finish).on("error", reject);
  });
}

function carriesData(): boolean {
  try {
    const status = fstatSync(0);
    return status.isFIFO() || status.isFile() || status.isSocket();
  } catch {
    // Closed by whoever started us.
    return false;
  }
}
