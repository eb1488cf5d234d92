import { resolve } from "node:path";
import * as z from "zod";
import { OperatorSettings, Settings } from "../shared/contract/settings.ts";
import { StartProblem } from "./start-problem.ts";

const blankIsUnset = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema);

const isHttpUrl = (value: string): boolean => z.url({ protocol: /^https?$/ }).safeParse(value).success;

const Environment = z.object({
  PORT: blankIsUnset(
    z.coerce.number("must be a number from 0 to 65535").int("must be a whole number").min(0).max(65_535).default(8787),
  ),
  HOST: blankIsUnset(z.string().default("127.0.0.1")),
  PUBLIC_URL: blankIsUnset(
    z.url({ protocol: /^https?$/, error: "must be an address such as https://chat.example.org" }).optional(),
  ),
  MOSAIC_DATA_DIR: blankIsUnset(z.string().default(".mosaic")),
  /** Unset: the data folder's own. */
  CREDENTIALS_KEYS: blankIsUnset(Settings.shape.CREDENTIALS_KEYS.optional()),
  DATABASE_URL: blankIsUnset(
    z
      .url({ protocol: /^postgres(ql)?$/, error: "must have the form postgresql://user:password@host:5432/database" })
      .optional(),
  ),
  OLLAMA_BASE_URL: blankIsUnset(
    z
      .string()
      .refine(
        (value) => value === "off" || isHttpUrl(value),
        "must be an address such as http://127.0.0.1:11434, or off",
      )
      .optional(),
  ),
});

export interface StackSettings {
  /** 0 takes any free port. */
  port: number;
  host: string;
  /** True when others can reach the stack, itself or through a proxy: the first sign-up must prove who started it. */
  isPublic: boolean;
  /** Unset: `http://localhost:<port>`. */
  publicUrl: string | undefined;
  dataDir: string;
  /** Unset: the embedded database. */
  databaseUrl: string | undefined;
  ollamaBaseUrl: string | undefined;
}

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/;

const isLoopbackUrl = (url: string): boolean => loopback.test(new URL(url).hostname);

const lowerFirst = (sentence: string): string => `${sentence.slice(0, 1).toLowerCase()}${sentence.slice(1)}`;

/** @throws StartProblem naming each wrong variable, without its value: it may hold a password. */
export function readStackSettings(env: NodeJS.ProcessEnv): StackSettings {
  const parsed = Environment.safeParse(env);
  const issues = [...(parsed.error?.issues ?? []), ...(OperatorSettings.safeParse(env).error?.issues ?? [])];
  if (!parsed.success || issues.length > 0) {
    const problems = issues.map((issue) => `${issue.path.join(".")} ${lowerFirst(issue.message)}`);
    throw new StartProblem(`The environment is wrong: ${problems.join("; ")}.`);
  }
  const { PORT, HOST, PUBLIC_URL, MOSAIC_DATA_DIR, DATABASE_URL, OLLAMA_BASE_URL } = parsed.data;
  return {
    port: PORT,
    host: HOST,
    isPublic: !loopback.test(HOST) || (PUBLIC_URL !== undefined && !isLoopbackUrl(PUBLIC_URL)),
    publicUrl: PUBLIC_URL?.replace(/\/+$/, ""),
    dataDir: resolve(MOSAIC_DATA_DIR),
    databaseUrl: DATABASE_URL,
    ollamaBaseUrl: OLLAMA_BASE_URL,
  };
}
