/**
 * A real Postgres 15 with pgvector for the tests, without touching the system: Debian's packages are unpacked into
 * `.cache/postgres15`, and pgvector is compiled there from Debian's own source package.
 * `node scripts/postgres15.ts` prepares it and says where it is.
 */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, chmod, copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const CACHE = join(import.meta.dirname, "../.cache/postgres15");
const RELEASE = "bookworm";
const PACKAGES = ["postgresql-15", "postgresql-server-dev-15", "libpq5"];
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const PGVECTOR = "0.8.0";
/** Which package brings a library that the machine may lack. */
const LIBRARIES: [prefix: string, packageName: string][] = [
  ["libicu", "libicu72"],
  ["libxml2", "libxml2"],
  ["libldap", "libldap-2.5-0"],
  ["liblber", "libldap-2.5-0"],
  ["libsasl2", "libsasl2-2"],
  ["libgssapi_krb5", "libgssapi-krb5-2"],
  ["libkrb5", "libkrb5-3"],
];

export interface Postgres15Install {
  /** Where `postgres` and `initdb` are. */
  bin: string;
  /** Where the libraries are that the machine itself may lack. */
  libraries: string;
}

/**
 * Finds or makes the installation; the first time needs the network and about 15 s.
 * @throws Error with one sentence where it cannot be had
 */
export async function preparePostgres15(): Promise<Postgres15Install> {
  const done = join(CACHE, "complete");
  const install = await installation(join(CACHE, "root"));
  if (await exists(done)) return install;
  await needTools();
  try {
    await rm(CACHE, { recursive: true, force: true });
    await mkdir(CACHE, { recursive: true });
    const draft = join(CACHE, "draft");
    const made = await installation(draft);
    const apt = await prepareApt();
    await unpack(apt, PACKAGES, draft);
    await addMissingLibraries(apt, draft, made);
    await buildPgvector(apt, draft);
    await rename(draft, join(CACHE, "root"));
    await writeFile(done, `${new Date().toISOString()}\n`);
  } catch (error) {
    throw new Error(`A real Postgres 15 could not be made in ${CACHE}: ${reasonOf(error)}`, { cause: error });
  }
  return install;
}

const exists = (path: string): Promise<boolean> =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  );

async function installation(root: string): Promise<Postgres15Install> {
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  return { bin: join(root, "usr/lib/postgresql/15/bin"), libraries: join(root, "usr/lib", triplet) };
}

async function needTools(): Promise<void> {
  for (const tool of ["apt-get", "dpkg", "gcc", "tar"]) {
    await run("which", [tool]).catch(() => {
      throw new Error(
        `A real Postgres 15 needs \`${tool}\`, which this machine lacks; only the embedded database can be tested here.`,
      );
    });
  }
  if (!(await exists(KEYRING))) {
    throw new Error(
      "A real Postgres 15 needs Debian's archive keyring; only the embedded database can be tested here.",
    );
  }
}

type Apt = (folder: string, ...words: string[]) => Promise<void>;

/** apt with its own lists and sources, so that the system's stay as they are. */
async function prepareApt(): Promise<Apt> {
  const home = join(CACHE, "apt");
  await mkdir(join(home, "lists/partial"), { recursive: true });
  await mkdir(join(home, "archives/partial"), { recursive: true });
  const sources = join(home, "sources.list");
  const from = (kind: string, suite: string): string =>
    `${kind} [signed-by=${KEYRING}] http://deb.debian.org/debian ${suite} main\n`;
  // bookworm has no pgvector; the source package of the release after it builds against Postgres 15 as well.
  await writeFile(sources, from("deb", RELEASE) + from("deb-src", "trixie"));
  const options = [
    `Dir::Etc::SourceList=${sources}`,
    "Dir::Etc::SourceParts=/dev/null",
    `Dir::State::Lists=${join(home, "lists")}`,
    `Dir::Cache=${home}`,
    `APT::Sandbox::User=${process.env.USER ?? "root"}`,
    "Acquire::Languages=none",
    "Acquire::Retries=2",
  ].flatMap((option) => ["-o", option]);
  const apt: Apt = async (folder, ...words) => {
    await mkdir(folder, { recursive: true });
    await run("apt-get", ["-q", ...options, ...words], { cwd: folder, timeout: 180_000 });
  };
  await apt(home, "update");
  return apt;
}

async function unpack(apt: Apt, packages: readonly string[], root: string): Promise<void> {
  const folder = join(CACHE, "packages");
  await rm(folder, { recursive: true, force: true });
  await apt(folder, "download", ...packages);
  for (const file of await readdir(folder)) await run("dpkg", ["-x", join(folder, file), root]);
}

async function addMissingLibraries(apt: Apt, root: string, { bin, libraries }: Postgres15Install): Promise<void> {
  const { stdout } = await run("ldd", [join(bin, "postgres")], { env: { ...process.env, LD_LIBRARY_PATH: libraries } });
  const missing = stdout.split("\n").filter((line) => line.includes("not found"));
  const packages = new Set(
    LIBRARIES.filter(([prefix]) => missing.some((line) => line.trim().startsWith(prefix))).map(([, name]) => name),
  );
  if (packages.size > 0) await unpack(apt, [...packages], root);
}

/** By hand instead of with Postgres' makefiles: those carry the paths of a system-wide installation. */
async function buildPgvector(apt: Apt, root: string): Promise<void> {
  const folder = join(CACHE, "pgvector");
  await apt(folder, "source", "--download-only", `pgvector=${PGVECTOR}-1`);
  await run("tar", ["xzf", `pgvector_${PGVECTOR}.orig.tar.gz`, "--strip-components=1"], { cwd: folder });
  const sources = (await readdir(join(folder, "src")))
    .filter((name) => name.endsWith(".c"))
    .map((name) => join("src", name));
  const library = join(root, "usr/lib/postgresql/15/lib/vector.so");
  const headers = join(root, "usr/include/postgresql/15/server");
  const options = ["-shared", "-fPIC", "-O2", "-w", "-fno-math-errno", "-D_GNU_SOURCE", `-I${headers}`];
  await run("gcc", [...options, ...sources, "-o", library, "-lm"], { cwd: folder, timeout: 180_000 });
  const extensions = join(root, "usr/share/postgresql/15/extension");
  await copyFile(join(folder, "vector.control"), join(extensions, "vector.control"));
  await copyFile(join(folder, "sql/vector.sql"), join(extensions, `vector--${PGVECTOR}.sql`));
  await chmod(library, 0o755);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stderr = "stderr" in error && typeof error.stderr === "string" ? error.stderr.trim().split("\n").at(-1) : "";
  return stderr || error.message;
}

if (import.meta.main) {
  const { bin } = await preparePostgres15();
  console.log(`Postgres 15 with pgvector ${PGVECTOR} is in ${bin}`);
}
