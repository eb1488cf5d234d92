/** Debian's chromium for the page's tests: found, or installed by apt-get where this process may. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome-stable",
  "/usr/bin/google-chrome",
];
const HOW = "Install it with `apt-get install chromium`, or set CHROMIUM_PATH to a Chromium or Chrome.";

function found(): string | undefined {
  const given = process.env.CHROMIUM_PATH;
  if (given && !existsSync(given)) throw new Error(`CHROMIUM_PATH names ${given}, which does not exist.`);
  return given || PLACES.find((path) => existsSync(path));
}

function aptGet(...args: string[]): void {
  execFileSync("apt-get", args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 300_000,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** @returns the path of a Chromium. @throws Error that says how to get one, when there is none and none can be installed. */
export function chromiumPath(): string {
  const path = found();
  if (path) return path;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    throw new Error(`The page's tests need Chromium, and this user cannot install packages. ${HOW}`);
  }
  process.stderr.write("The page's tests need Chromium: installing Debian's package, about a minute.\n");
  try {
    aptGet("update", "-qq");
    aptGet("install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core");
  } catch (error) {
    throw new Error(`Chromium could not be installed. ${HOW}`, { cause: error });
  }
  const installed = found();
  if (!installed) throw new Error(`apt-get installed no Chromium that can be found. ${HOW}`);
  return installed;
}

/** @param more switches of this launch, such as names that lead to this machine */
export function launchChromium(...more: string[]): Promise<Browser> {
  const args = [...more, "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"];
  return chromium.launch({ executablePath: chromiumPath(), args });
}
