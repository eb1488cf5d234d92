/**
 * `npm run chaos -- [--messages 50000] [--kills 200] [--seed S] [--conversations 40] [--epoch 5000] [--report file.json]`:
 * breaks a real stack while people talk, and checks that nothing acknowledged was lost. Ends with 1 when something was.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runChaos } from "./run-chaos.ts";

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "50000" },
    kills: { type: "string", default: "200" },
    conversations: { type: "string", default: "40" },
    epoch: { type: "string", default: "5000" },
    outage: { type: "string", default: "60000" },
    within: { type: "string", default: "900000" },
    quiet: { type: "string", default: "150000" },
    seed: { type: "string", default: String(Date.now()) },
    report: { type: "string" },
  },
});

const report = await runChaos({
  messages: Number(values.messages),
  kills: Number(values.kills),
  conversations: Number(values.conversations),
  messagesPerEpoch: Number(values.epoch),
  longestOutageMs: Number(values.outage),
  limits: { talkMs: Number(values.within), saidWithinMs: Number(values.within), quietWithinMs: Number(values.quiet) },
  seed: values.seed,
  print: (line) => console.log(line),
});
if (values.report) writeFileSync(values.report, `${JSON.stringify(report, null, 2)}\n`);
process.exit(report.violations.length === 0 ? 0 : 1);
