import * as z from "zod";
import { parseKeyRing } from "./key-ring.ts";
import { ProviderLoginSettings } from "./provider-login-settings.ts";

const Url = z.url({ protocol: /^https?$/ });
const BaseUrl = Url.transform((value) => value.replace(/\/+$/, ""));
const Secret = z.string().min(1);
const blankIsUnset = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());

/** The Worker's configuration: checked by the self-hosted stack before it starts, and once per isolate by the Worker. Bindings (objects, queues, assets) are beside it, not in it. */
export const Settings = z.object({
  PUBLIC_URL: BaseUrl,
  ALLOWED_ORIGINS: z
    .string()
    .default("")
    .transform((value) =>
      value
        .split(",")
        .map((origin) => origin.trim())
        .filter(Boolean),
    ),
  DATABASE_APP_URL: Secret,
  DATABASE_AUTH_URL: Secret,
  /** Where the Neon driver posts its queries; unset = Neon itself. The self-hosted stack sets its own endpoint. */
  DATABASE_HTTP_ENDPOINT: blankIsUnset(Url),
  BETTER_AUTH_SECRET: z.string().min(32),
  /** Seals what people save; see `parseKeyRing`. */
  CREDENTIALS_KEYS: z.string().superRefine((value, context) => {
    const ring = parseKeyRing(value);
    if (!ring.ok) context.addIssue({ code: "custom", message: ring.problem });
  }),
  SIGN_UP: z.enum(["open", "invite", "closed"]).default("open"),
  /** Whoever signs up first must show it, where the stack listens beyond loopback. */
  SETUP_TOKEN: blankIsUnset(Secret),
  MAIL_API_URL: blankIsUnset(Url),
  MAIL_API_KEY: blankIsUnset(Secret),
  MAIL_FROM: blankIsUnset(z.string()),
  OIDC_ISSUER: blankIsUnset(Url),
  OIDC_CLIENT_ID: blankIsUnset(Secret),
  OIDC_CLIENT_SECRET: blankIsUnset(Secret),
  OIDC_NAME: z.string().default("Single sign-on"),
  ANTHROPIC_API_KEY: blankIsUnset(Secret),
  OPENAI_API_KEY: blankIsUnset(Secret),
  OPENROUTER_API_KEY: blankIsUnset(Secret),
  ZAI_API_KEY: blankIsUnset(Secret),
  ANTHROPIC_BASE_URL: blankIsUnset(BaseUrl),
  OPENAI_BASE_URL: blankIsUnset(BaseUrl),
  OPENROUTER_BASE_URL: blankIsUnset(BaseUrl),
  ZAI_BASE_URL: blankIsUnset(BaseUrl),
  /** An address, or `off`. */
  OLLAMA_BASE_URL: z.preprocess(
    (value) => (value === "" ? undefined : value),
    z.union([z.literal("off"), BaseUrl]).default("off"),
  ),
  /** `1`: an instance admin may save URLs of private addresses. */
  ALLOW_PRIVATE_NETWORK: blankIsUnset(z.string()).transform((value) => value === "1" || value === "true"),
  /** Seconds between two probes of a provider; they cost no tokens. */
  PROVIDER_PROBE_SECONDS: z.coerce.number().int().min(5).max(3600).default(60),
  /** Milliseconds until a provider's first sign of life, and between any two, before the next one is asked. */
  PROVIDER_HEADERS_TIMEOUT_MS: z.coerce.number().int().min(100).max(600_000).default(60_000),
  PROVIDER_IDLE_TIMEOUT_MS: z.coerce.number().int().min(100).max(600_000).default(60_000),
  /** Which embedding model documents and questions are turned into vectors with. */
  EMBEDDING_MODEL: z.string().min(1).default("nomic-embed-text"),
  /** Logins at vendors beyond what is built in. Whether a vendor's terms allow one is the operator's to know. */
  PROVIDER_LOGINS: blankIsUnset(ProviderLoginSettings),
});
export type Settings = z.infer<typeof Settings>;

/** What an operator writes into the environment of the self-hosted stack; it makes the rest itself. */
export const OperatorSettings = Settings.omit({
  PUBLIC_URL: true,
  DATABASE_APP_URL: true,
  DATABASE_AUTH_URL: true,
  DATABASE_HTTP_ENDPOINT: true,
  BETTER_AUTH_SECRET: true,
  CREDENTIALS_KEYS: true,
  OLLAMA_BASE_URL: true,
});

export type SettingsResult = { ok: true; settings: Settings } | { ok: false; problems: string };

/** Checks a whole environment. Problems name variables, never values: one may hold a secret. */
export function parseSettings(env: object): SettingsResult {
  const parsed = Settings.safeParse(env);
  if (parsed.success) return { ok: true, settings: parsed.data };
  return {
    ok: false,
    problems: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "),
  };
}
