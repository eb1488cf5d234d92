import { OperatorSettings } from "../shared/contract/settings.ts";
import type { DatabaseAddress } from "./database-process.ts";
import type { StackSecrets } from "./stack-secrets.ts";

/** What the operator's environment passes on to the Worker as it is. Everything else stays outside. */
const { SETUP_TOKEN: _madeHere, ...PassedOn } = OperatorSettings.shape;

export interface WorkerEnvironment {
  env: NodeJS.ProcessEnv;
  publicUrl: string;
  ollamaBaseUrl: string;
  isPublic: boolean;
  secrets: StackSecrets;
  database: DatabaseAddress;
}

/** The Worker's variables; made at every start, never written down. */
export function workerBindings(from: WorkerEnvironment): Record<string, string> {
  const { env, secrets, database } = from;
  const bindings: Record<string, string> = {};
  for (const name of Object.keys(PassedOn)) if (env[name]) bindings[name] = env[name];
  return {
    ...bindings,
    PUBLIC_URL: from.publicUrl,
    OLLAMA_BASE_URL: from.ollamaBaseUrl,
    DATABASE_APP_URL: database.appUrl,
    DATABASE_AUTH_URL: database.authUrl,
    DATABASE_HTTP_ENDPOINT: `http://127.0.0.1:${database.port}/sql`,
    BETTER_AUTH_SECRET: env.BETTER_AUTH_SECRET || secrets.BETTER_AUTH_SECRET,
    CREDENTIALS_KEYS: env.CREDENTIALS_KEYS || secrets.CREDENTIALS_KEYS,
    ...(from.isPublic && { SETUP_TOKEN: env.SETUP_TOKEN || secrets.SETUP_TOKEN }),
  };
}
