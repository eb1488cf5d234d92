import { v7 as newId } from "uuid";
import { createHttpMailer } from "../adapters/mail/http-mailer.ts";
import { createMailboxMailer } from "../adapters/mail/mailbox-mailer.ts";
import { createNoMailer } from "../adapters/mail/no-mailer.ts";
import { createAccountStore } from "../adapters/postgres/account-store.ts";
import { createCallLimits } from "../adapters/postgres/call-limits.ts";
import { checkDatabase } from "../adapters/postgres/check-database.ts";
import { createConfigurationReader } from "../adapters/postgres/configuration-reader.ts";
import { createConversationStore } from "../adapters/postgres/conversation-store.ts";
import { createDatabase } from "../adapters/postgres/database.ts";
import { createEventSink } from "../adapters/postgres/event-sink.ts";
import { createIdempotencyStore } from "../adapters/postgres/idempotency-store.ts";
import { createJobStore } from "../adapters/postgres/job-store.ts";
import { KnownFacts } from "../adapters/postgres/known-facts.ts";
import { createMaintenance } from "../adapters/postgres/maintenance.ts";
import { createSignInAttempts } from "../adapters/postgres/sign-in-attempts.ts";
import { createSignInDatabase } from "../adapters/postgres/sign-in-database.ts";
import { createSignIn } from "../adapters/sign-in/sign-in.ts";
import { createBuiltInTools } from "../adapters/tools/built-in-tools.ts";
import type { Settings } from "../contract/settings.ts";
import type { AccountStore, IdempotencyStore } from "../ports/account-store.ts";
import type { CallLimits } from "../ports/call-limits.ts";
import type { ConfigurationReader, ConversationStore, EventSink } from "../ports/conversation-store.ts";
import type { JobStore } from "../ports/job-store.ts";
import type { Mailer } from "../ports/mailer.ts";
import type { Maintenance } from "../ports/maintenance.ts";
import type { SignIn, SignInEvents } from "../ports/sign-in.ts";
import { platformTimers, type Timers } from "../ports/timers.ts";
import type { ToolHost } from "../ports/tool-host.ts";
import { readSettings } from "./env.ts";
import { composeProviders, type ProviderPlatform, type ProviderServices } from "./provider-services.ts";

/** Everything the edge and the objects may use; made once per isolate by `createServices`. */
export interface Services extends ProviderServices {
  settings: Settings;
  signIn: SignIn;
  conversations: ConversationStore;
  events: EventSink;
  jobs: JobStore;
  configuration: ConfigurationReader;
  accounts: AccountStore;
  idempotency: IdempotencyStore;
  limits: CallLimits;
  maintenance: Maintenance;
  tools: ToolHost;
  /** One cheap round trip: is the database there, are the migrations in? Never throws. */
  checkDatabase(): Promise<{ ok: boolean; detail: string }>;
  /** Keeps what serves the current request alive until the promise settles. */
  background(work: Promise<unknown>): void;
  timers: Timers;
  /** From 0 up to 1: spreads retries. Never for secrets. */
  random(): number;
  /** A new UUIDv7. */
  newId(): string;
  now(): Date;
}

/** What only the platform can do. */
export interface Platform extends ProviderPlatform {
  /** Tells a conversation's object that a credential or a membership ended. */
  revoke(
    conversationId: string,
    what: { credentialId: string } | { userId: string; workspaceId: string },
  ): Promise<void>;
  /** The self-hosted stack's letter box. */
  mailbox?: { fetch(url: string, init: RequestInit): Promise<Response> };
}

let made: { key: string; services: Services } | undefined;

/**
 * The one place where ports meet their adapters. Made once per isolate: probes of providers and connections to
 * identity providers are shared by everything in it.
 * @throws Error that names the settings which are wrong
 */
export function createServices(env: object, platform: Platform): Services {
  const settings = readSettings(env);
  const key = JSON.stringify(settings);
  if (made?.key !== key) made = { key, services: compose(settings, platform) };
  return made.services;
}

/** A request answers within about three seconds, also with a database that hangs. */
const REQUEST_PATIENCE_MS = 2_500;

function compose(settings: Settings, platform: Platform): Services {
  const endpoint = settings.DATABASE_HTTP_ENDPOINT;
  const timeoutMs = REQUEST_PATIENCE_MS;
  const app = createDatabase({ connectionString: settings.DATABASE_APP_URL, endpoint, timeoutMs });
  const authAddress = { connectionString: settings.DATABASE_AUTH_URL, endpoint, timeoutMs };
  const patient = createDatabase({ connectionString: settings.DATABASE_APP_URL, endpoint });
  const auth = createDatabase(authAddress);
  const accounts = createAccountStore({ app, auth });
  const basics = { timers: platformTimers, random: Math.random, newId: () => newId(), now: () => new Date() };
  const known = new KnownFacts();
  const configuration = createConfigurationReader(app, known);
  return {
    ...basics,
    ...composeProviders({ ...basics, settings, platform, database: app, configuration, known }),
    settings,
    signIn: createSignIn({
      database: createSignInDatabase(authAddress),
      settings,
      mailer: mailerFor(settings, platform),
      accounts,
      events: revocations(accounts, platform),
      runInBackground: platform.background,
    }),
    conversations: createConversationStore(app),
    events: createEventSink(patient),
    jobs: createJobStore(app),
    configuration,
    accounts,
    idempotency: createIdempotencyStore(app),
    limits: createCallLimits(createSignInAttempts(auth)),
    maintenance: createMaintenance({ app: patient, auth }),
    tools: createBuiltInTools(basics),
    checkDatabase: () => checkDatabase(app),
    background: platform.background,
  };
}

/** The operator's mail service, else the self-hosted stack's letter box, else a sentence on how to get one. */
function mailerFor({ MAIL_API_URL: url, MAIL_API_KEY: key, MAIL_FROM: from }: Settings, platform: Platform): Mailer {
  if (url && from) return createHttpMailer({ url, key, from });
  return platform.mailbox ? createMailboxMailer(platform.mailbox) : createNoMailer();
}

/** What ended in the sign-in system reaches every object where it is still attached. */
function revocations(accounts: AccountStore, platform: Platform): SignInEvents {
  const tell = async (conversations: string[], what: Parameters<Platform["revoke"]>[1]): Promise<void> => {
    await Promise.all(conversations.map((id) => platform.revoke(id, what)));
  };
  return {
    revoked: async ({ credentialId }) => tell(await accounts.attachments({ credentialId }), { credentialId }),
    membershipChanged: async (what) => tell(await accounts.attachments(what), what),
  };
}
