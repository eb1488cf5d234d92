import * as z from "zod";
import { ConnectableKind } from "./provider.ts";

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Plain http reaches nothing but this machine. */
export const isSafeAddress = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && LOOPBACK.test(hostname));

function checkAddress(value: string): string | null {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (!url) return "must be a whole URL, such as https://login.example.com/oauth/token";
  if (!isSafeAddress(url)) return "must be an https URL; plain http is for this machine only";
  if (url.username !== "" || url.password !== "") return "must not hold a name or password";
  return url.hash === "" ? null : "must not have a part after #";
}

const Address = z.string().superRefine((value, context) => {
  const problem = checkAddress(value);
  if (problem) context.addIssue({ code: "custom", message: problem });
});

const Word = z.string().regex(/^[\x21-\x7e]{1,2000}$/, "must be 1 to 2,000 printable ASCII characters without spaces");

/** How to log in at one vendor. What stands where: docs/provider-logins.md. */
const VendorLogin = z.strictObject({
  clientId: Word.optional(),
  clientSecret: Word.optional(),
  /** How the client shows its secret: in the body, or as HTTP basic authentication. */
  clientAuthentication: z.enum(["post", "basic"], 'must be "post" or "basic"').default("post"),
  /** Where the other addresses can be asked for (RFC 8414, OpenID discovery). */
  issuer: Address.optional(),
  authorizationUrl: Address.optional(),
  tokenUrl: Address.optional(),
  deviceUrl: Address.optional(),
  revocationUrl: Address.optional(),
  scopes: z
    .string()
    .regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/, "must be words with one space between them")
    .optional(),
  method: z.enum(["redirect", "device"], 'must be "redirect" or "device"').optional(),
  /** Where the tokens are good, for kinds that have no address of their own. */
  baseUrl: Address.optional(),
});
export type VendorLogin = z.output<typeof VendorLogin>;

const WITHOUT_ADDRESS: readonly ConnectableKind[] = ["ollama", "openai-compatible"];

type Problem = [field: keyof VendorLogin, message: string];

/** OpenRouter knows no clients: only where it is can be changed. */
function problemsOfOpenRouter(login: VendorLogin): Problem[] {
  const together = (login.authorizationUrl === undefined) === (login.tokenUrl === undefined);
  return together ? [] : [["tokenUrl", "and authorizationUrl go together: give both or neither"]];
}

function problemsOf(kind: ConnectableKind, login: VendorLogin): Problem[] {
  const { clientId, issuer, authorizationUrl, tokenUrl, deviceUrl, method } = login;
  const isLocal = WITHOUT_ADDRESS.includes(kind);
  const problems: Problem[] = [];
  if (isLocal !== (login.baseUrl !== undefined))
    problems.push(["baseUrl", isLocal ? `is needed for ${kind}: where its tokens are good` : `is not for ${kind}`]);
  if (kind === "openrouter" && clientId === undefined) return [...problems, ...problemsOfOpenRouter(login)];
  if (clientId === undefined) problems.push(["clientId", "is needed: what the vendor gave this Mosaic"]);
  if (issuer !== undefined || isBuiltInDevice(kind, login)) return problems;
  if (tokenUrl === undefined) problems.push(["tokenUrl", "is needed where there is no issuer"]);
  if (authorizationUrl === undefined && (deviceUrl === undefined || method === "redirect"))
    problems.push(["authorizationUrl", "is needed where there is neither issuer nor deviceUrl"]);
  if (method === "device" && deviceUrl === undefined)
    problems.push(["deviceUrl", "is needed for the method device where there is no issuer"]);
  return problems;
}

/** OpenAI's own device login needs nothing but a client id. */
export const isBuiltInDevice = (kind: ConnectableKind, login: VendorLogin): boolean =>
  kind === "openai" &&
  login.method !== "redirect" &&
  [login.issuer, login.authorizationUrl, login.tokenUrl, login.deviceUrl].every((each) => each === undefined);

const Kinds = z.partialRecord(ConnectableKind, VendorLogin).superRefine((logins, context) => {
  for (const kind of ConnectableKind.options) {
    const login = logins[kind];
    if (!login) continue;
    for (const [field, message] of problemsOf(kind, login))
      context.addIssue({ code: "custom", path: [kind, field], message });
  }
});

/** `PROVIDER_LOGINS`: JSON with one entry for each kind of provider that one can log in to. */
export const ProviderLoginSettings = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: "must be JSON, such as the examples in docs/provider-logins.md" });
      return z.NEVER;
    }
  })
  .pipe(Kinds);
export type ProviderLoginSettings = z.output<typeof ProviderLoginSettings>;
