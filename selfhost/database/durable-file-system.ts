import { closeSync, fsyncSync, openSync } from "node:fs";
import { NodeFS } from "@electric-sql/pglite/nodefs";

/**
 * PGlite's file system on Node, with a real fsync. Its own has none, so that a commit would survive the death of the
 * process but not the loss of power. This reaches into Emscripten's stream operations: `embedded.test.ts` counts the
 * calls, so that an update which moves them is noticed.
 */
export class DurableFileSystem extends NodeFS {
  syncs = 0;

  override async init(...[pg, options]: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(pg, options);
    const hook: NonNullable<typeof emscriptenOpts.preRun>[number] = (module) => {
      const nodeFs: unknown = Reflect.get(module.FS.filesystems, "NODEFS");
      const operations: unknown = isObject(nodeFs) ? Reflect.get(nodeFs, "stream_ops") : null;
      if (!isObject(operations)) throw new Error("PGlite's file system has changed: fsync cannot be switched on.");
      Reflect.set(operations, "fsync", (stream: unknown) => this.#sync(stream));
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), hook] } };
  }

  #sync(stream: unknown): 0 {
    const descriptor: unknown = isObject(stream) ? Reflect.get(stream, "nfd") : null;
    if (typeof descriptor !== "number") return 0;
    fsyncSync(descriptor);
    this.syncs += 1;
    return 0;
  }
}

/** Makes the entries of a folder itself durable. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
