import type { ClientHistory } from "./history.ts";
import type { Lane, Progress } from "./lane.ts";
import type { Person } from "./people.ts";
import type { ClientPlan } from "./plan.ts";

export interface ClientDeps {
  url: string;
  person: Person;
  lane: Lane;
  progress: Progress;
  plan: ClientPlan;
  /** For what survives the client's own death. */
  folder: string;
}

/** One participant of one conversation. */
export interface ChaosClient {
  readonly history: ClientHistory;
  /** Attaches, sends everything it has to say, and resolves when all of it is acknowledged. */
  run(): Promise<void>;
  /** How far it has read without a gap. */
  readonly lastSeq: number;
  stop(): void;
}
