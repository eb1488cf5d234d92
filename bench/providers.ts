/**
 * `npm run bench:providers`: what it costs when a provider fails before its first word, and what Mosaic adds to each
 * token of an answer. `--only failover,tokens` takes one of them, `--json <file>` writes the figures there too. Each has
 * a house of its own with the shipped Worker, and vendors on this machine that are connected as a user's instances.
 *
 * A round of the failover renames the first provider before it is asked, which starts its health anew: what is measured
 * is a failover, not the breaker that would spare it after a few failures (providers/failover.ts).
 */
import { parseArgs } from "node:util";
import { type House, startHouse } from "./house/house.ts";
import { NEARBY_VENDORS } from "./providers/connect.ts";
import { HEADERS_TIMEOUT_MS, measureFailover } from "./providers/failover.ts";
import { measureTokenTime } from "./providers/token-time.ts";
import { type Figure, printFigure, printFigures, writeFigures } from "./statistics.ts";

const impatient = { ...NEARBY_VENDORS, PROVIDER_HEADERS_TIMEOUT_MS: String(HEADERS_TIMEOUT_MS) };
const measurements = {
  failover: () => inHouse(impatient, measureFailover),
  tokens: () => inHouse(NEARBY_VENDORS, measureTokenTime),
};

async function inHouse(env: Record<string, string>, measure: (house: House) => Promise<Figure[]>): Promise<Figure[]> {
  const house = await startHouse(env);
  try {
    return await measure(house);
  } finally {
    await house.stop();
  }
}

const { values } = parseArgs({ options: { only: { type: "string" }, json: { type: "string" } } });
const names = values.only?.split(",") ?? Object.keys(measurements);
const wanted = names.map((name) => {
  const found = Object.entries(measurements).find(([each]) => each === name);
  if (!found) throw new Error(`There is no measurement "${name}"; there are ${Object.keys(measurements).join(", ")}.`);
  return found[1];
});
const figures: Figure[] = [];
for (const measure of wanted) {
  for (const figure of await measure()) {
    figures.push(figure);
    printFigure(figure);
  }
}
console.log("");
printFigures(figures);
if (values.json) writeFigures(values.json, figures);
