/** docs/reliability.md as text, made from what the runs wrote down. Pure. */
import * as z from "zod";
import { BUGS_FOUND } from "./bugs-found.ts";

const Count = z.number();
const Counts = z.record(z.string(), Count);
const Killed = z.object({ kills: Count, medianMs: Count, worstMs: Count });
const Mutants = z.array(z.object({ name: z.string(), what: z.string(), caughtBy: z.string().nullable() }));

export const Reports = z.object({
  chaos: z.object({
    seed: z.string(),
    machine: z.object({ cpu: z.string(), cores: Count, memoryGiB: Count, node: z.string() }),
    seconds: Count,
    messages: Count,
    events: Count,
    conversations: Count,
    clients: Count,
    kills: z.object({ workerd: Killed, database: Killed, stack: Killed }),
    databaseFaults: Count,
    modelFaults: Counts,
    endings: Counts,
    strangerTries: Count,
    violations: z.array(z.object({ rule: z.string(), conversationId: z.string(), detail: z.string() })),
  }),
  chaosMutants: z.object({ mutants: Mutants }),
  simulator: z.object({
    firstSeed: Count,
    schedules: Count,
    schedulesPerSecond: Count,
    tookSeconds: Count,
    withFiveClients: Count,
    steps: Count,
    messagesAcknowledged: Count,
    faults: Counts,
    violating: Count,
    violations: z.array(z.object({ seed: Count, check: z.string(), detail: z.string() })),
    mutants: Mutants,
  }),
  fuzz: z.object({
    seed: Count,
    sockets: z.object({ inputs: Count, sockets: Count, conversations: Count, brokenConnections: Count }),
  }),
});
export type Reports = z.infer<typeof Reports>;

const figure = (value: number): string => value.toLocaleString("en-US");
const sum = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

const mutantRows = (mutants: Reports["simulator"]["mutants"]): string =>
  table(
    ["fault put into the code", "what goes wrong", "seen by"],
    mutants.map(({ name, what, caughtBy }) => [
      `\`${name}\``,
      what,
      caughtBy === null ? "**nobody**" : `\`${caughtBy}\``,
    ]),
  );

function verdict(violations: readonly string[]): string {
  if (violations.length === 0) return "**The checker found nothing.**";
  return `**The checker found ${violations.length} violations:**\n\n${violations.map((each) => `- ${each}`).join("\n")}`;
}

const RULES = `Something is acknowledged when its \`ack\` or its 202 arrived. At the end of each epoch the faults stop, everything comes to
rest, and the checker reads what every client wrote down, the object's whole log and messages, and the rows in Postgres:

- whatever a client handed over is acknowledged in the end; an acknowledged message stands in the log exactly once, at the
  position it was acknowledged at, with the words that were sent; nothing stands there that nobody sent
- the log has no gap; every client read all of it, in order, and saw the same event at the same position as everybody else
- messages of a client that waits for its acknowledgements stand in the order it sent them
- every accepted message has a turn and every turn exactly one ending
- events, messages, turns, receipts and head in Postgres are what the log makes
- someone without access got 404 at every door, and row-level security refused every statement made in their name`;

function chaosSection({ chaos }: Reports): string {
  const { kills, machine } = chaos;
  const row = (name: string, { kills: count, medianMs, worstMs }: (typeof kills)["workerd"]): string[] => [
    name,
    figure(count),
    seconds(medianMs),
    seconds(worstMs),
  ];
  const total = kills.workerd.kills + kills.database.kills + kills.stack.kills;
  const { answered = 0, ...faults } = chaos.modelFaults;
  return `## The real stack, killed

\`npm run chaos\`: the stack as \`npm start\` runs it, with ${figure(chaos.conversations)} conversations of five clients each: two that ship (one killed and
started again with nothing but its files), two bare sockets that repeat, swap, hang up and resume from the past, and a
script over REST and server-sent events; two people, and clocks a day off. Meanwhile processes get SIGKILL, the database goes
away, hangs, slows down, refuses statements or loses answers after the commit, and the vendor cuts, hangs and answers 429,
500, garbage or nothing.

${table(
  ["figure", "this run"],
  [
    ["seed", `\`${chaos.seed}\``],
    ["messages acknowledged", figure(chaos.messages)],
    ["events in the logs", figure(chaos.events)],
    ["SIGKILLs", figure(total)],
    ["times the database misbehaved", figure(chaos.databaseFaults)],
    ["vendor's answers, faulty ones", `${figure(answered + sum(faults))}, ${figure(sum(faults))}`],
    [
      "turns completed, interrupted, failed with a reason",
      ["completed", "interrupted", "failed"].map((kind) => figure(chaos.endings[`turn:${kind}`] ?? 0)).join(", "),
    ],
    ["tries of a stranger, all refused", figure(chaos.strangerTries)],
    ["took", `${Math.round(chaos.seconds / 60)} minutes`],
    ["machine", `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}`],
  ],
)}

${verdict(chaos.violations.map(({ rule, detail }) => `\`${rule}\`: ${detail}`))}

How long until it answered again, clients still pushing:

${table(["killed", "times", "median", "worst"], [row("workerd", kills.workerd), row("the database's process", kills.database), row("the whole stack, then started again", kills.stack)])}

${RULES}

A seed fixes who sends what, who misbehaves how, and which fault strikes after how many acknowledgements. It does not fix
how the operating system runs the processes, so a seed replays the plan, not the exact interleaving; that is what the
simulator is for. \`SIGKILL\` is not a power cut: the disk is not tested here.`;
}

function simulatorSection({ simulator }: Reports): string {
  return `## The simulator

\`npm run simulate\`: the object's own code and the client's, under virtual time and a seeded scheduler, with a model of
workerd's storage, alarms and hibernation and of Postgres. A seed replays to the same step.

${table(
  ["figure", "this run"],
  [
    ["schedules", `${figure(simulator.schedules)}, from seed ${simulator.firstSeed}`],
    ["of them with five clients", figure(simulator.withFiveClients)],
    ["a second", figure(simulator.schedulesPerSecond)],
    ["steps", figure(simulator.steps)],
    ["messages acknowledged", figure(simulator.messagesAcknowledged)],
    [
      "faults",
      Object.entries(simulator.faults)
        .map(([name, count]) => `${name} ${figure(count)}`)
        .join(", "),
    ],
    ["schedules that broke a promise", figure(simulator.violating)],
  ],
)}

${verdict(simulator.violations.map(({ seed, check, detail }) => `seed ${seed}, \`${check}\`: ${detail}`))}`;
}

/** What a full run holds; one that holds less says so on the page. */
const ASKED = { messages: 50_000, kills: 200, schedules: 1_000_000, withFiveClients: 10_000 };

function shorterThanAsked({ chaos, simulator }: Reports): string {
  const kills = Object.values(chaos.kills).reduce((total, killed) => total + killed.kills, 0);
  const isFull =
    chaos.messages >= ASKED.messages &&
    kills >= ASKED.kills &&
    simulator.schedules >= ASKED.schedules &&
    simulator.withFiveClients >= ASKED.withFiveClients;
  if (isFull) return "";
  return `

**These runs are shorter than the full ones**, which hold ${figure(ASKED.messages)} messages, ${ASKED.kills} kills and
${figure(ASKED.schedules)} schedules, ${figure(ASKED.withFiveClients)} of them with five clients.`;
}

export function reliabilityPage(reports: Reports, madeOn: string): string {
  const { fuzz } = reports;
  const sections = [
    `# Reliability

Accepted means durable, and every turn has an ending. This page is what the proof of that said the last time, on ${madeOn};
\`npm run reliability\` runs all of it and writes this page anew. The short forms run in \`npm test\`.${shorterThanAsked(reports)}`,
    chaosSection(reports),
    simulatorSection(reports),
    `## Does the checker see anything at all?

Each of these faults was put into a copy of the code, one at a time. One that nobody sees is a hole in the checker.

### Seen by the chaos run

${mutantRows(reports.chaosMutants.mutants)}

### Seen by the simulator

${mutantRows(reports.simulator.mutants)}`,
    `## Hostile frames

\`npm run fuzz:frames\`: seed ${fuzz.seed}, ${figure(fuzz.sockets.inputs)} inputs over ${figure(fuzz.sockets.sockets)} sockets in ${figure(fuzz.sockets.conversations)} conversations, and ${figure(fuzz.sockets.brokenConnections)} connections
whose framing itself was broken. No crash, no 5xx, no object made anew, every frame answered as the protocol says.`,
    ...(BUGS_FOUND.length === 0
      ? []
      : [
          `## What these runs found\n\nEach is mended, with a test.\n\n${BUGS_FOUND.map((bug) => `- ${bug}`).join("\n")}`,
        ]),
  ];
  return `${sections.join("\n\n")}\n`;
}
