/**
 * `npm run bench:reliability`: what never losing a turn costs, and how fast it is made good. `--only ack,drain` takes
 * some of the measurements, `--json <file>` writes the figures there too.
 */
import { parseArgs } from "node:util";
import { type House, startHouse } from "./house/house.ts";
import { measureAck } from "./reliability/ack.ts";
import { measureDrain } from "./reliability/drain.ts";
import { measureFanOut } from "./reliability/fan-out.ts";
import { measureIdle } from "./reliability/idle.ts";
import { measureResume } from "./reliability/resume.ts";
import { measureRowVisible } from "./reliability/row-visible.ts";
import { type Figure, printFigure, printFigures, writeFigures } from "./statistics.ts";

const measurements = {
  ack: inOneHouse(measureAck),
  "row-visible": inOneHouse(measureRowVisible),
  resume: inOneHouse(measureResume),
  "fan-out": inOneHouse(measureFanOut),
  drain: inOneHouse(measureDrain),
  idle: measureIdle,
};

/** Each measurement has a stack of its own: what one leaves behind must not weigh on the next. */
function inOneHouse(measure: (house: House) => Promise<Figure[]>): () => Promise<Figure[]> {
  return async () => {
    const house = await startHouse();
    try {
      return await measure(house);
    } finally {
      await house.stop();
    }
  };
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
