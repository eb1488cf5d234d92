import type { Mutant } from "../simulator/mutants.ts";
import type { Rule } from "./check-history.ts";

/** A known fault in the code that ships, and the rules of the checker that may speak of it. */
export interface ChaosMutant extends Mutant {
  breaks: readonly Rule[];
}

const WITH_CHECK = `) with check (
  (workspace_id = any ((select app.workspaces())::uuid[]) and owner_user_id = (select app.user_id()))
  or (workspace_id = any ((select app.editable_workspaces())::uuid[]) and visibility = 'workspace')
);
--> statement-breakpoint
alter table turns enable row level security;`;

/** The simulator has the larger set; these need real processes, a real database or the client's own disk. */
export const MUTANTS: readonly ChaosMutant[] = [
  {
    name: "missing-with-check",
    what: "the policy on messages no longer asks who writes",
    file: "migrations/0001_roles-and-policies.sql",
    find: WITH_CHECK,
    replace: WITH_CHECK.replace(/with check \([\s\S]*?\);/, "with check (true);"),
    breaks: ["stranger-sees-nothing"],
  },
  {
    name: "no-dedupe",
    what: "a message id that is known is taken for new",
    file: "shared/domain/conversation/decide.ts",
    find: "  if (known) {\n",
    replace: "  if (known?.deleted) {\n",
    breaks: ["acknowledged-is-kept", "one-seq-per-message"],
  },
  {
    name: "cursor-before-commit",
    what: "the outbox moves on before the database has said yes",
    file: "durable-objects/conversation/outbox.ts",
    find: "      const outcome = await this.#send(remaining);\n",
    replace: `      this.#deps.journal.setMeta("drainedSeq", String(remaining.at(-1)?.seq ?? 0));
      const outcome = await this.#send(remaining);
`,
    breaks: ["postgres-agrees", "settled"],
  },
  {
    name: "client-without-outbox",
    what: "a client keeps what it sends in its memory alone",
    file: "shared/client/send-queue.ts",
    find: "      await this.#storage.save(entry.id, JSON.stringify(entry));\n",
    replace: "",
    breaks: ["sent-is-acknowledged"],
  },
  {
    name: "resume-skips",
    what: "a resumed client misses the first event",
    file: "durable-objects/conversation/handle-frame.ts",
    find: "  sessions.follow(socket, frame.since ?? journal.lastSeq);\n",
    replace: "  sessions.follow(socket, frame.since ? frame.since + 1 : journal.lastSeq);\n",
    breaks: ["reading-in-order", "everyone-reads-all"],
  },
];
