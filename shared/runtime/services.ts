import type { AccountStore, IdempotencyStore } from "../ports/account-store.ts";
import type { ConfigurationReader, ConversationStore, EventSink } from "../ports/conversation-store.ts";
import type { ProviderDirectory } from "../ports/provider-directory.ts";
import type { SignIn } from "../ports/sign-in.ts";
import type { Settings } from "./env.ts";

/** Everything the edge and the objects may use; made once per isolate by `createServices`. */
export interface Services {
  settings: Settings;
  signIn: SignIn;
  conversations: ConversationStore;
  events: EventSink;
  configuration: ConfigurationReader;
  accounts: AccountStore;
  idempotency: IdempotencyStore;
  providers: ProviderDirectory;
  /** One cheap round trip: is the database there, are the migrations in? Never throws. */
  checkDatabase(): Promise<{ ok: boolean; detail: string }>;
  /** A new UUIDv7. */
  newId(): string;
  now(): Date;
}
