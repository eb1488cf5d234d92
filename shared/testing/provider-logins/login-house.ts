import { v7 } from "uuid";
import { createLoginStore } from "../../adapters/postgres/login-store.ts";
import type { LoginDeps } from "../../adapters/provider-logins/login-deps.ts";
import { createLoginEndpoints } from "../../adapters/provider-logins/login-endpoints.ts";
import { createProviderLogins } from "../../adapters/provider-logins/provider-logins.ts";
import { ProviderLoginSettings } from "../../contract/provider-login-settings.ts";
import type { ProviderRecord } from "../../domain/providers/provider-record.ts";
import type { LoginStarter, ProviderLoginObject } from "../../ports/provider-logins.ts";
import type { Person, Rooms } from "../postgres/suite/people.ts";
import { providersOf, vault } from "../postgres/suite/provider-people.ts";
import type { LoginVendor } from "./login-vendor.ts";

export const ORIGIN = "https://mosaic.example";

/** Logins at `vendor` for OpenRouter, Z.ai (redirect) and OpenAI (device), over real stores and a clock that is set. */
export function loginHouse(rooms: Rooms, vendor: LoginVendor, replace: Partial<LoginDeps> = {}) {
  const clock = { nowMs: Date.now() };
  const revoked: ProviderRecord[] = [];
  const now = (): Date => new Date(clock.nowMs);
  const object: ProviderLoginObject = {
    fresh: async () => ({ ok: false, why: "ended" }),
    revoke: async (record) => {
      revoked.push(record);
    },
  };
  const client = { clientId: "mosaic", tokenUrl: `${vendor.url}/token`, revocationUrl: `${vendor.url}/revoke` };
  const settings = {
    openrouter: { authorizationUrl: `${vendor.url}/auth`, tokenUrl: `${vendor.url}/keys` },
    zai: { ...client, authorizationUrl: `${vendor.url}/authorize` },
    openai: { ...client, deviceUrl: `${vendor.url}/device` },
  };
  const providers = providersOf(rooms);
  const deps: LoginDeps = {
    settings: { PUBLIC_URL: ORIGIN },
    store: createLoginStore(rooms.app),
    providers,
    vault,
    endpoints: createLoginEndpoints({
      logins: ProviderLoginSettings.parse(JSON.stringify(settings)),
      fetch: (url, init) => fetch(url, init),
      now,
    }),
    object: () => object,
    newId: () => v7(),
    now,
    wait: async () => {},
    ...replace,
  };
  return { deps, clock, revoked, providers, logins: createProviderLogins(deps) };
}

export const starterOf = ({ userId, personalWorkspaceId }: Person, more: Partial<LoginStarter> = {}): LoginStarter => ({
  userId,
  workspaces: [{ id: personalWorkspaceId, role: "owner" }],
  isInstanceAdmin: false,
  ...more,
});
