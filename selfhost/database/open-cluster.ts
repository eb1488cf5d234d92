import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { DurableFileSystem, syncFolder } from "./durable-file-system.ts";

/** As PGlite starts itself, but without `-F`: commits reach the disk before they are acknowledged. */
const START_PARAMETERS = [
  "--single -O -j",
  "-c search_path=public -c exit_on_error=false -c log_checkpoints=false",
  "-c max_worker_processes=0 -c max_parallel_workers=0 -c max_parallel_workers_per_gather=0",
  "-c max_parallel_maintenance_workers=0 -c io_method=sync",
  "-c fsync=on -c wal_sync_method=fsync -c synchronous_commit=on -c full_page_writes=on",
  "-c shared_buffers=16MB -c jit=off",
].flatMap((line) => line.split(" "));

const DRAFT = "cluster-draft-";

export interface OpenCluster {
  pg: PGlite;
  files: DurableFileSystem;
}

/** Opens the cluster in this folder; PGlite makes it there first when the folder is empty. */
export async function openCluster(folder: string): Promise<OpenCluster> {
  const files = new DurableFileSystem(folder);
  return { files, pg: await PGlite.create({ fs: files, extensions: { vector }, startParams: START_PARAMETERS }) };
}

/**
 * Where the cluster below `dataDir` is, made when there is none. It is made in a process of its own, which gives back
 * the 300 MB that this takes, and in a draft folder: a cluster is there whole or not at all.
 */
export async function prepareCluster(dataDir: string): Promise<string> {
  const cluster = join(dataDir, "cluster");
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith(DRAFT)) rmSync(join(dataDir, name), { recursive: true, force: true });
  }
  if (existsSync(cluster)) return cluster;
  const draft = join(dataDir, `${DRAFT}${process.pid}`);
  mkdirSync(draft, { mode: 0o700 });
  // Runs each piece of Postgres once or twice: making V8's best code of it takes longer than all the rest.
  await promisify(execFile)(process.execPath, ["--liftoff-only", join(import.meta.dirname, "make-cluster.ts"), draft]);
  renameSync(draft, cluster);
  syncFolder(dataDir);
  return cluster;
}
