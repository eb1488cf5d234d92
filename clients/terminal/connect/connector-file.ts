import { readFileSync } from "node:fs";
import * as z from "zod";
import { ConnectorName, Upstream } from "../../../shared/contract/connector.ts";
import { ConnectorSecret, ConnectorStamp } from "../../../shared/contract/connector-credentials.ts";
import { MAX_UPSTREAMS } from "../../../shared/contract/connector-frames.ts";
import { Id } from "../../../shared/contract/primitives.ts";
import { configFile, writePrivately } from "../local-files.ts";
import { UsageError } from "../usage-error.ts";

export const UpstreamUrl = z
  .url({ protocol: /^https?$/, error: "is not an http or https address" })
  .refine((url) => !/[?#]/.test(url), "must have no query")
  .transform((url) => url.replace(/\/+$/, ""));

/** A model server of this machine. Its headers are sent to it alone. */
const ConfiguredUpstream = z.strictObject({
  ...Upstream.shape,
  url: UpstreamUrl,
  headers: z.record(z.string(), z.string()).optional(),
});
export type ConfiguredUpstream = z.infer<typeof ConfiguredUpstream>;

/** How this machine asks to be known at a server. The secret is made before it is shown for the first time. */
const Wish = z.strictObject({ name: ConnectorName, secret: ConnectorSecret });
export type Wish = z.infer<typeof Wish>;

/** How it is known there, with the stamp that it was welcomed with last; `askedAs` where it was given another name. */
const Enrolment = z.strictObject({
  ...Wish.shape,
  askedAs: ConnectorName.optional(),
  connectorId: Id,
  stamp: ConnectorStamp,
});
export type Enrolment = z.infer<typeof Enrolment>;

const ConnectorFile = z.strictObject({
  upstreams: z
    .array(ConfiguredUpstream)
    .max(MAX_UPSTREAMS)
    .refine((upstreams) => new Set(upstreams.map(({ name }) => name)).size === upstreams.length, "has a name twice"),
  /** By address. */
  servers: z.record(z.string(), Enrolment),
  /** By address as well: beside what is good already, until the server has welcomed it. */
  wishes: z.record(z.string(), Wish).optional(),
});
type ConnectorFile = z.infer<typeof ConnectorFile>;

export const DEFAULT_OLLAMA = "http://127.0.0.1:11434";

const fresh = (): ConnectorFile => ({
  upstreams: [{ name: "ollama", kind: "ollama", url: DEFAULT_OLLAMA }],
  servers: {},
});

function without(url: string, wishes: ConnectorFile["wishes"] = {}): Pick<ConnectorFile, "wishes"> {
  const { [url]: _, ...others } = wishes;
  return Object.keys(others).length === 0 ? {} : { wishes: others };
}

type Environment = Record<string, string | undefined>;

/**
 * `connector.json` in the person's configuration folder, which only they can read: what this machine offers, and how it
 * is known at each server.
 */
export function connectorFile(env: Environment) {
  const path = configFile(env, "connector.json");
  const read = (): ConnectorFile => {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch {
      return fresh();
    }
    try {
      return ConnectorFile.parse(JSON.parse(text));
    } catch (error) {
      const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
      const why = issue ? `${issue.path.join(".")} ${issue.message}` : "it is not JSON";
      throw new UsageError(`${path} cannot be used: ${why}. Correct it, or remove it to begin anew.`);
    }
  };
  const write = (file: ConnectorFile): void => writePrivately(path, `${JSON.stringify(file, null, 2)}\n`);
  return {
    path,
    upstreams: (): ConfiguredUpstream[] => read().upstreams,
    enrolment: (url: string): Enrolment | undefined => read().servers[url],
    /** Sets the address of the upstream "ollama", in its place in the list. */
    saveOllama: (url: string): void => {
      const file = read();
      const known = file.upstreams.find(({ name }) => name === "ollama");
      const ollama: ConfiguredUpstream = { ...known, name: "ollama", kind: "ollama", url };
      const upstreams = known
        ? file.upstreams.map((upstream) => (upstream === known ? ollama : upstream))
        : [ollama, ...file.upstreams];
      write({ ...file, upstreams });
    },
    wish: (url: string): Wish | undefined => read().wishes?.[url],
    saveWish: (url: string, wish: Wish): void => {
      const file = read();
      write({ ...file, wishes: { ...file.wishes, [url]: wish } });
    },
    /** The server has welcomed it: the wish has come true. */
    saveEnrolment: (url: string, enrolment: Enrolment): void => {
      const { wishes, ...file } = read();
      write({ ...file, servers: { ...file.servers, [url]: enrolment }, ...without(url, wishes) });
    },
    forgetWish: (url: string): void => {
      const { wishes, ...file } = read();
      write({ ...file, ...without(url, wishes) });
    },
    forgetEnrolment: (url: string): void => {
      const file = read();
      const { [url]: _, ...servers } = file.servers;
      write({ ...file, servers });
    },
  };
}

export type ConnectorFileBook = ReturnType<typeof connectorFile>;
