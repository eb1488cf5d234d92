/** Lets Node load the object's code: the platform's module and the composition root are the model's. */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { Mutant } from "./mutants.ts";

const model = (name: string): string => new URL(`./model/${name}.ts`, import.meta.url).href;

/** Call once, before the object's code is imported. With a mutant, its one file is loaded with the change in it. */
export function registerSimulatorHooks(mutant: Mutant | null): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "cloudflare:workers") return { url: model("cloudflare-workers"), shortCircuit: true };
      if (specifier.endsWith("/services-for.ts") && context.parentURL?.includes("/durable-objects/"))
        return { url: model("services-for"), shortCircuit: true };
      if (specifier.endsWith("/decode-frame.ts") && context.parentURL?.endsWith("/shared/client/connection.ts"))
        return { url: model("decode-frame"), shortCircuit: true };
      return next(specifier, context);
    },
    load(url, context, next) {
      const loaded = next(url, context);
      if (!mutant || !url.endsWith(`/${mutant.file}`)) return loaded;
      const source = String(loaded.source ?? readFileSync(fileURLToPath(url), "utf8"));
      return { ...loaded, source: mutated(source, mutant) };
    },
  });
}

/** @throws Error when the text that the mutant changes is not there exactly once any more */
export function mutated(source: string, { name, file, find, replace }: Mutant): string {
  const parts = source.split(find);
  if (parts.length !== 2)
    throw new Error(
      `Mutant "${name}": the text to change is ${parts.length - 1} times in ${file}; adapt tests/simulator/mutants.ts.`,
    );
  return parts.join(replace);
}
