import type * as z from "zod";
import { Id } from "../../shared/contract/primitives.ts";
import { AppError } from "../../shared/domain/app-error.ts";

export type ParamNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never;

const NAMES = /\{(\w+)\}/g;
export const paramNames = (path: string): string[] => [...path.matchAll(NAMES)].flatMap(([, name]) => name ?? []);

/** An id that is none names nothing, which is what everyone else's ids do too: 404. */
export function readParams<Path extends string>(
  { path, words = {} }: { path: Path; words?: Record<string, z.ZodType<string>> },
  paramOf: (name: string) => string | undefined,
): Record<ParamNames<Path>, string> {
  const entries = paramNames(path).map((name) => {
    const word = Object.hasOwn(words, name) ? words[name] : undefined;
    const param = (word ?? Id).safeParse(paramOf(name));
    if (param.success) return [name, param.data] as const;
    const wanted = word ? "one of those that exist" : "an id";
    throw new AppError("not_found", `There is nothing here: \`${name}\` is not ${wanted}.`);
  });
  return Object.fromEntries(entries) as Record<ParamNames<Path>, string>;
}
