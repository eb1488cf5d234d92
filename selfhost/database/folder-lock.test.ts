import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockFolder } from "./folder-lock.ts";

describe("the folder lock", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "mosaic-lock-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const heldBy = (holder: object) => writeFile(join(folder, "lock"), JSON.stringify(holder));
  const since = "2026-01-01T00:00:00.000Z";

  it("lets one in, names it to the next, and lets that one in after the release", () => {
    const lock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(`is in use by process ${process.pid} since`);
    lock.release();
    lockFolder(folder).release();
  });

  it("takes over from a process that died without a word", async () => {
    const script = `const { lockFolder } = await import(${JSON.stringify(join(import.meta.dirname, "folder-lock.ts"))});
      lockFolder(${JSON.stringify(folder)}); console.log("locked"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    expect(() => lockFolder(folder)).toThrow(`is in use by process ${child.pid} since`);
    child.kill("SIGKILL");
    await once(child, "exit");
    lockFolder(folder).release();
  });

  it("is not deceived by a later process with the same number", async () => {
    const { host } = await import("node:os").then((os) => ({ host: os.hostname() }));
    await heldBy({ pid: process.pid, host, startTime: "another-boot/1", since });
    lockFolder(folder).release();
  });

  it("takes over a lock file that a crash cut short", async () => {
    await writeFile(join(folder, "lock"), '{"pid":');
    lockFolder(folder).release();
  });

  it("believes a holder on another host while its heart beats, and no longer", async () => {
    await heldBy({ pid: 1, host: "elsewhere", startTime: null, since });
    expect(() => lockFolder(folder)).toThrow("is in use by process 1 on elsewhere since");
    await utimes(join(folder, "lock"), new Date(0), new Date(0));
    lockFolder(folder).release();
  });

  it("does not remove the lock of the one that took over", async () => {
    const lock = lockFolder(folder);
    await heldBy({ pid: 1, host: "elsewhere", startTime: null, since });
    lock.release();
    expect(await readFile(join(folder, "lock"), "utf8")).toContain("elsewhere");
  });
});
