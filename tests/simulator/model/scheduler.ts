import type { Random } from "./random.ts";

/** Something that can end and takes with it whatever it had planned: one run of an object, one run of a client. */
export interface Life {
  alive: boolean;
}

interface Task {
  due: number;
  kind: string;
  run: () => void;
  life: Life | null;
  cancelled: boolean;
  waits: boolean;
}

export interface Planned {
  cancel(): void;
}

/** 2026-11-21T12:00:00Z: where virtual time begins. */
export const BEGINNING_MS = 1_795_262_400_000;

const kindHashes = new Map<string, number>();

function hashOf(kind: string): number {
  const known = kindHashes.get(kind);
  if (known !== undefined) return known;
  let hash = 0x811c9dc5;
  for (let at = 0; at < kind.length; at++) hash = Math.imul(hash ^ kind.charCodeAt(at), 0x01000193);
  kindHashes.set(kind, hash);
  return hash;
}

/**
 * Virtual time. Everything that will happen is a task with a time; a step runs one of those that are due first, and
 * time jumps to it. What was run is hashed, so that a replay can be told from a different run.
 */
export class Scheduler {
  readonly random: Random;
  readonly #tasks: Task[] = [];
  /** Filled when someone wants to read what happened. */
  readonly trace: string[] | null;
  now = BEGINNING_MS;
  steps = 0;
  /** The kind of the task that ran last. */
  lastKind = "";
  hash = 0;
  /** How far from its order a step may be taken, in ms. */
  disorderMs = 0;

  constructor(random: Random, trace: string[] | null) {
    this.random = random;
    this.trace = trace;
  }

  /** @param waits - a task that only waits for something to go wrong: a run may end before it */
  after(ms: number, kind: string, run: () => void, life: Life | null = null, waits = false): Planned {
    const task: Task = { due: this.now + Math.max(0, ms), kind, run, life, cancelled: false, waits };
    this.#tasks.push(task);
    return {
      cancel: () => {
        task.cancelled = true;
      },
    };
  }

  note(text: string): void {
    this.trace?.push(`${String(this.now - BEGINNING_MS).padStart(8)} ms  #${this.steps}  ${text}`);
  }

  /** Runs one task. @returns false when nothing is left to do */
  step(): boolean {
    const task = this.#take();
    if (!task) return false;
    this.now = Math.max(this.now, task.due);
    this.steps++;
    this.lastKind = task.kind;
    this.hash = (Math.imul(this.hash, 31) + hashOf(task.kind) + (this.now - BEGINNING_MS)) | 0;
    if (this.trace) this.note(task.kind);
    task.run();
    return true;
  }

  /** Whether a task is left that will do something, not only wait. */
  get isBusy(): boolean {
    for (const task of this.#tasks) if (!task.waits && isLive(task)) return true;
    return false;
  }

  /** Whether a task of this kind is the only one left that will do something. */
  isOnly(kind: string): boolean {
    let found = false;
    for (const task of this.#tasks) {
      if (task.waits || !isLive(task)) continue;
      if (found || task.kind !== kind) return false;
      found = true;
    }
    return found;
  }

  /** Kinds of tasks that will do something, not only wait. */
  busyWith(): string[] {
    return this.#tasks.filter((task) => isLive(task) && !task.waits).map((task) => task.kind);
  }

  /** Makes what happens between steps part of the hash. */
  mark(kind: string): void {
    this.hash = (Math.imul(this.hash, 31) + hashOf(kind)) | 0;
    if (this.trace) this.note(`== ${kind}`);
  }

  #take(): Task | null {
    const tasks = this.#tasks;
    let first = Number.POSITIVE_INFINITY;
    let kept = 0;
    for (const task of tasks) {
      if (!isLive(task)) continue;
      tasks[kept++] = task;
      if (task.due < first) first = task.due;
    }
    tasks.length = kept;
    if (kept === 0) return null;
    const window = Math.max(first, this.now) + this.disorderMs;
    let due = 0;
    for (const task of tasks) if (task.due <= window) due++;
    let chosen = due > 1 ? this.random.below(due) : 0;
    for (let at = 0; at < kept; at++) {
      const task = tasks[at];
      if (!task || task.due > window || chosen-- > 0) continue;
      tasks[at] = tasks[kept - 1] as Task;
      tasks.length = kept - 1;
      return task;
    }
    return null;
  }
}

const isLive = (task: Task): boolean => !task.cancelled && (task.life === null || task.life.alive);
