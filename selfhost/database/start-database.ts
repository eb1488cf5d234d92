import type { Backend, Role } from "./backend.ts";
import { EmbeddedBackend } from "./embedded.ts";
import { type Endpoint, serveEndpoint } from "./endpoint.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { readOrMakePasswords } from "./passwords.ts";
import { forgetPort, rememberPort } from "./running-port.ts";
import { UpstreamBackend } from "./upstream.ts";
import { HANG_LIMIT_MS, startWatchdog } from "./watchdog.ts";

export interface DatabaseOptions {
  /** Holds the embedded database, or only the passwords when there is an upstream. */
  dataDir: string;
  /** 0 takes any free one. */
  port: number;
  upstream?: {
    /** `DATABASE_URL`: the owner of any Postgres. */
    ownerUrl: string;
    /** `DATABASE_APP_URL`, `DATABASE_AUTH_URL`; without them the roles get passwords made here. */
    appUrl?: string;
    authUrl?: string;
  };
  /** Milliseconds one query may block the embedded database. Default 60,000. */
  hangLimitMs?: number;
  /** Called when the embedded database fell over; only a new process brings it back. */
  onCrash?: (error: unknown) => void;
}

export interface RunningDatabase {
  port: number;
  /** Connection strings for the Neon driver, each with its role's password. */
  ownerUrl: string;
  appUrl: string;
  authUrl: string;
  /** Where the driver posts: `http://127.0.0.1:<port>/sql`. */
  endpoint: string;
  stop(): Promise<void>;
}

/**
 * Starts the local database endpoint over PGlite or over `upstream`.
 * @throws Error with one sentence: folder in use, port taken, database unreachable
 */
export async function startDatabase(options: DatabaseOptions): Promise<RunningDatabase> {
  const passwords = readOrMakePasswords(options.dataDir);
  const { backend, release } = options.upstream
    ? await openUpstream(options.upstream, passwords)
    : await openEmbedded(options);
  let endpoint: Endpoint;
  try {
    endpoint = await serveEndpoint(backend, options.port, passwords);
  } catch (error) {
    await backend.close();
    await release();
    throw portError(error, options.port);
  }
  rememberPort(options.dataDir, endpoint.port);
  const url = (role: Role): string =>
    `postgresql://${role}:${encodeURIComponent(passwords[role])}@127.0.0.1:${endpoint.port}/mosaic`;
  return {
    port: endpoint.port,
    ownerUrl: url("owner"),
    appUrl: url("app_user"),
    authUrl: url("auth_user"),
    endpoint: `http://127.0.0.1:${endpoint.port}/sql`,
    stop: async () => {
      forgetPort(options.dataDir);
      await endpoint.close();
      await backend.close();
      await release();
    },
  };
}

interface Opened {
  backend: Backend;
  release(): Promise<void>;
}

async function openEmbedded({ dataDir, hangLimitMs, onCrash }: DatabaseOptions): Promise<Opened> {
  const lock: FolderLock = lockFolder(dataDir);
  try {
    const backend = await EmbeddedBackend.open(dataDir, onCrash);
    const watchdog = startWatchdog(hangLimitMs ?? HANG_LIMIT_MS);
    return {
      backend,
      release: async () => {
        await watchdog.stop();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The embedded database in ${dataDir} cannot be opened: ${reason}`, { cause: error });
  }
}

async function openUpstream(
  upstream: NonNullable<DatabaseOptions["upstream"]>,
  passwords: Record<Role, string>,
): Promise<Opened> {
  if (upstream.appUrl) passwords.app_user = roleUrl(upstream.appUrl, "app_user", "DATABASE_APP_URL");
  if (upstream.authUrl) passwords.auth_user = roleUrl(upstream.authUrl, "auth_user", "DATABASE_AUTH_URL");
  const as = (role: Role): string => {
    const url = new URL(upstream.ownerUrl);
    url.username = role;
    url.password = encodeURIComponent(passwords[role]);
    return url.href;
  };
  if (!URL.canParse(upstream.ownerUrl))
    throw new Error("DATABASE_URL is not a URL of the form postgresql://user:password@host:5432/database.");
  const backend = new UpstreamBackend({
    owner: upstream.ownerUrl,
    app_user: upstream.appUrl ?? as("app_user"),
    auth_user: upstream.authUrl ?? as("auth_user"),
  });
  try {
    await backend.run("owner", [{ query: "select 1", params: [] }], null);
  } catch (error) {
    await backend.close();
    const { host, pathname } = new URL(upstream.ownerUrl);
    const reason = error instanceof Error ? error.message || error.name : String(error);
    throw new Error(`The database ${pathname.slice(1)} at ${host} cannot be reached: ${reason}. Check DATABASE_URL.`, {
      cause: error,
    });
  }
  return { backend, release: async () => undefined };
}

function roleUrl(value: string, role: Role, name: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url?.username === role && url.password !== "") return decodeURIComponent(url.password);
  throw new Error(`${name} must be a URL of the form postgresql://${role}:password@host/database.`);
}

function portError(error: unknown, port: number): Error {
  const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  return taken
    ? new Error(
        `Port ${port} on 127.0.0.1 is in use, so the database endpoint cannot listen there. Free it or choose another.`,
        { cause: error },
      )
    : new Error(`The database endpoint cannot listen on 127.0.0.1:${port}: ${String(error)}`, { cause: error });
}
