import * as z from "zod";
import type { FieldError } from "./errors.ts";
import { HealthState, ProviderKind } from "./model.ts";
import { Id, label, Page, pageOf, Timestamp } from "./primitives.ts";

/** What a person can connect; the guide is built in. */
export const ConnectableKind = ProviderKind.exclude(["guide"]);
export type ConnectableKind = z.infer<typeof ConnectableKind>;

/** Who may use an instance: everyone here, the members of one workspace, or the one who made it. */
export const ProviderScope = z.enum(["system", "workspace", "user"]);
export type ProviderScope = z.infer<typeof ProviderScope>;

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/;
const HEADER_VALUE = /^[\t\x20-\x7e]{1,4000}$/;

/** Ours to set, or the connection's: a stored header of that name would undo what the adapter sends, or speak for us. */
const RESERVED_HEADERS =
  /^(host|connection|keep-alive|content-length|content-type|transfer-encoding|upgrade|te|trailer|expect|cookie2?|set-cookie2?|(x-mosaic|sec|proxy)-.*)$/i;

/** Extra headers, for gateways in front of a model server such as Cloudflare Access. Values are secrets. */
const Headers = z
  .record(
    z
      .string()
      .regex(HEADER_NAME, "is not a header name")
      .refine((name) => !RESERVED_HEADERS.test(name), "is set by Mosaic itself; leave it out"),
    z.string().regex(HEADER_VALUE, "must be 1 to 4,000 printable ASCII characters"),
  )
  .refine((headers) => Object.keys(headers).length <= 16, "at most 16 headers")
  .refine(
    (headers) => new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length,
    "names a header twice",
  );

/** Any text: what is wrong with an address is told by the one guard, as `url_refused`. */
const BaseUrl = z.string().max(8192);

/** The name of an upstream in a connector's own configuration. */
export const UpstreamName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be 1 to 40 of a-z, 0-9 and -");

export const ProviderConfig = z.strictObject({
  /** Where the API is; without it the vendor's own address. */
  baseUrl: BaseUrl.optional(),
  /** The machine that reaches it, instead of an address. */
  connectorId: Id.optional(),
  /** Which of that machine's upstreams; without it the one named like the kind. */
  upstream: UpstreamName.optional(),
  headers: Headers.optional(),
});

const ApiKey = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]{1,4000}$/, "must be 1 to 4,000 printable ASCII characters without spaces");
const Credential = z.strictObject({ apiKey: ApiKey });

/** Model servers of one's own: they have no address that everybody knows. */
const LOCAL: readonly ConnectableKind[] = ["ollama", "openai-compatible"];

interface Place {
  baseUrl?: string | null | undefined;
  connectorId?: string | null | undefined;
  upstream?: string | null | undefined;
}

/** What is wrong with where an instance of this kind is said to be. */
export function placeFaults({ baseUrl, connectorId, upstream }: Place, kind: ConnectableKind): FieldError[] {
  const faults: FieldError[] = [];
  const report = (field: string, message: string) => faults.push({ path: `config.${field}`, message });
  const isLocal = LOCAL.includes(kind);
  const [hasUrl, hasConnector] = [baseUrl, connectorId].map((value) => value !== undefined && value !== null);
  if (hasUrl && hasConnector) report("connectorId", "give either baseUrl or connectorId, not both");
  if (isLocal && !hasUrl && !hasConnector)
    report("baseUrl", `is needed for ${kind}: give its address, or the connectorId of the machine it runs on`);
  if (!isLocal && hasConnector) report("connectorId", `is for ollama and openai-compatible only, not for ${kind}`);
  if (upstream && !hasConnector) report("upstream", "needs a connectorId");
  return faults;
}

export const CreateProvider = z
  .strictObject({
    kind: ConnectableKind,
    displayName: label(100),
    scope: ProviderScope.default("user"),
    workspaceId: Id.optional(),
    config: ProviderConfig.default({}),
    credential: Credential.optional(),
    isDefault: z.boolean().default(false),
    isEnabled: z.boolean().default(true),
  })
  .superRefine((body, context) => {
    const report = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
    for (const { path, message } of placeFaults(body.config, body.kind)) report(path.split("."), message);
    if (body.scope !== "workspace" && body.workspaceId !== undefined)
      report(["workspaceId"], "is for the scope workspace only");
  });
export type CreateProvider = z.output<typeof CreateProvider>;

/** The place of an instance, changed. Null forgets: without a baseUrl it is at the vendor's own address. */
const ProviderConfigChange = z.strictObject({
  baseUrl: BaseUrl.nullable().optional(),
  connectorId: Id.nullable().optional(),
  upstream: UpstreamName.nullable().optional(),
  headers: Headers.optional(),
});

/**
 * What is left out stays, in `config` too; a `connectorId` takes the place of a `baseUrl` and the other way round.
 * `credential: null` forgets the key; `headers` replaces all of them.
 */
export const UpdateProvider = z
  .strictObject({
    displayName: label(100).optional(),
    config: ProviderConfigChange.optional(),
    credential: Credential.nullable().optional(),
    isDefault: z.boolean().optional(),
    isEnabled: z.boolean().optional(),
  })
  .refine((body) => Object.keys(body).length > 0, { message: "name at least one field to change" });
export type UpdateProvider = z.output<typeof UpdateProvider>;

/** A secret as it may be read: that it is there, and its last four characters where that gives nothing away. */
export const SecretHint = z.object({ configured: z.boolean(), hint: z.string().nullable() });
export type SecretHint = z.infer<typeof SecretHint>;

export const Provider = z.object({
  id: Id,
  kind: ProviderKind,
  displayName: z.string(),
  scope: ProviderScope,
  workspaceId: Id.nullable(),
  config: z.object({
    baseUrl: z.string().optional(),
    connectorId: Id.optional(),
    upstream: z.string().optional(),
    headers: z.record(z.string(), SecretHint).optional(),
  }),
  credential: SecretHint.extend({
    method: z.enum(["api-key", "oauth"]).nullable(),
    /** When a login has to be renewed; Mosaic does that by itself while it can. */
    expiresAt: Timestamp.nullable(),
  }),
  isDefault: z.boolean(),
  isEnabled: z.boolean(),
  /** `environment`: set by the operator; read-only here. */
  source: z.enum(["environment", "stored"]),
  health: HealthState,
  version: z.int().positive(),
  createdAt: Timestamp.nullable(),
  updatedAt: Timestamp.nullable(),
});
export type Provider = z.infer<typeof Provider>;

/** Of one workspace beside the caller's own and everybody's; without it of all of theirs. */
export const ListProviders = Page.extend({ workspaceId: Id.optional() });

/** A vendor at which one can log in here instead of copying a key. */
export const OfferedLogin = z.object({ kind: ConnectableKind, method: z.enum(["redirect", "device"]) });
export type OfferedLogin = z.infer<typeof OfferedLogin>;

export const ProviderList = pageOf(Provider).extend({
  logins: z.array(OfferedLogin),
  /** Whether an instance admin may save addresses of private networks here. */
  privateNetwork: z.boolean(),
});
export type ProviderList = z.infer<typeof ProviderList>;

/** The result of asking a provider for its models, now. `error` is one sentence with what to do. */
export const ProviderTest = z.object({
  ok: z.boolean(),
  latencyMs: z.int().nonnegative(),
  models: z.int().nonnegative(),
  error: z.string().optional(),
});
export type ProviderTest = z.infer<typeof ProviderTest>;

export const StartLogin = z
  .strictObject({
    scope: ProviderScope.default("user"),
    workspaceId: Id.optional(),
    displayName: label(100).optional(),
    /** An instance whose login is renewed, instead of a new one. */
    providerId: Id.optional(),
  })
  .superRefine((body, context) => {
    if (body.scope !== "workspace" && body.workspaceId !== undefined)
      context.addIssue({ code: "custom", path: ["workspaceId"], message: "is for the scope workspace only" });
  });
export type StartLogin = z.output<typeof StartLogin>;

/** A login that has begun: open `url`; with `userCode`, type that there. */
export const StartedLogin = z.object({
  loginId: Id,
  method: z.enum(["redirect", "device"]),
  url: z.string(),
  userCode: z.string().optional(),
  expiresAt: Timestamp,
});
export type StartedLogin = z.infer<typeof StartedLogin>;

export const ProviderLogin = z.object({
  loginId: Id,
  kind: ConnectableKind,
  method: z.enum(["redirect", "device"]),
  state: z.enum(["pending", "complete", "failed"]),
  /** The instance it made or renewed. */
  providerId: Id.nullable(),
  error: z.string().optional(),
  expiresAt: Timestamp,
});
export type ProviderLogin = z.infer<typeof ProviderLogin>;

/** The address that the vendor's page sent the browser to, pasted back. */
export const PastedRedirect = z.strictObject({ url: z.string().trim().min(1).max(8192) });
export type PastedRedirect = z.infer<typeof PastedRedirect>;
