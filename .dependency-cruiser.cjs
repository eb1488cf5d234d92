/**
 * The import directions and fences of docs/architecture. Each rule has one deliberately bad fixture under
 * tests/fences/fixtures, laid out as the house is; tests/fences asserts that each rule catches its own.
 */
const inside = "(^|/)"; // fixtures mirror the house below their own folder
const tests = "\\.(workerd\\.)?test\\.tsx?$|(^|/)shared/testing/";
const room = (name) => `${inside}shared/${name}/`;

const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

const layer = (name, above) =>
  forbid(
    `${name}-looks-down-only`,
    "contract <- domain <- ports <- adapters <- runtime",
    { path: room(name), pathNot: tests },
    { path: above.map(room).join("|") },
  );

const fence = (name, comment, packages, allowedIn) =>
  forbid(
    name,
    comment,
    { path: `${inside}(shared|workers|durable-objects|clients|selfhost)/`, pathNot: [...allowedIn, tests] },
    { path: packages },
  );

const npm = (...names) => names.map((n) => `node_modules/${n}(/|$)|^${n}($|/)`).join("|");

module.exports = {
  forbidden: [
    forbid("no-circular", "a cycle hides who decides", {}, { circular: true }),
    layer("contract", ["domain", "ports", "adapters", "runtime", "client"]),
    layer("domain", ["ports", "adapters", "runtime", "client"]),
    layer("ports", ["adapters", "runtime", "client"]),
    layer("adapters", ["runtime", "client"]),
    layer("runtime", ["client"]),
    forbid(
      "client-sees-contract-only",
      "web, terminal and connector share it",
      { path: room("client"), pathNot: tests },
      { path: `${inside}shared/(domain|ports|adapters|runtime)/` },
    ),
    forbid(
      "shared-imports-no-other-folder",
      "shared is the ground floor",
      { path: `${inside}shared/`, pathNot: tests },
      { path: `${inside}(workers|durable-objects|clients|selfhost)/` },
    ),
    forbid(
      "contract-needs-zod-only",
      "one wire truth, no weight",
      { path: room("contract"), pathNot: tests },
      { dependencyTypes: ["npm", "core"], pathNot: npm("zod") },
    ),
    forbid(
      "edge-never-imports-adapters",
      "the edge goes through runtime",
      { path: `${inside}(workers|durable-objects)/`, pathNot: tests },
      { path: room("adapters") },
    ),
    forbid(
      "only-index-imports-objects",
      "everyone else goes through stubs.ts",
      { path: `${inside}(workers|shared|clients|selfhost)/`, pathNot: [`${inside}workers/index\\.ts$`, tests] },
      { path: `${inside}durable-objects/`, pathNot: `${inside}durable-objects/stubs\\.ts$` },
    ),
    forbid(
      "objects-never-import-workers",
      "objects stand below the edge",
      { path: `${inside}durable-objects/` },
      { path: `${inside}workers/` },
    ),
    forbid(
      "clients-see-contract-and-client",
      "a client knows the wire, not the house",
      { path: `${inside}clients/`, pathNot: tests },
      { path: `${inside}(shared/(domain|ports|adapters|runtime|testing)|workers|durable-objects|selfhost)/` },
    ),
    forbid(
      "selfhost-stands-beside",
      "it runs the built bundle, it does not import it",
      { path: `${inside}selfhost/`, pathNot: tests },
      {
        path: `${inside}(workers|durable-objects|clients|shared/(domain|ports|runtime|client|adapters/(?!postgres/migrator)))`,
      },
    ),
    fence("vendor-sdk-in-its-adapter", "a vendor SDK lives in its one adapter", npm("openai", "@anthropic-ai/sdk"), [
      room("adapters/providers"),
    ]),
    fence(
      "drizzle-in-postgres",
      "drizzle and the Neon driver live in adapters/postgres",
      npm("drizzle-orm", "@neondatabase/serverless"),
      [room("adapters/postgres")],
    ),
    fence("better-auth-in-sign-in", "sign-in lives in adapters/sign-in", npm("better-auth", "@better-auth"), [
      room("adapters/sign-in"),
      `${inside}clients/`,
    ]),
    fence("hono-in-workers", "hono lives at the edge", npm("hono", "@hono"), [`${inside}workers/`]),
    fence("cloudflare-at-the-edge", "the platform's modules stay at the edge", "^cloudflare:", [
      `${inside}(workers|durable-objects)/`,
    ]),
    forbid(
      "node-only-where-node-runs",
      "the Worker has no Node",
      { path: `${inside}(shared|workers|durable-objects|clients/web)/`, pathNot: [tests, room("adapters/telemetry")] },
      { dependencyTypes: ["core"], pathNot: "^cloudflare:" },
    ),
    forbid(
      "not-to-unresolvable",
      "an import nobody can follow",
      {},
      { couldNotResolve: true, pathNot: "^cloudflare:" },
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|\\.mosaic|\\.cache)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["workerd", "import", "module", "require", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".mjs", ".cjs", ".js", ".json", ".d.ts"],
    },
    builtInModules: { add: ["cloudflare:workers", "cloudflare:test"] },
  },
};
