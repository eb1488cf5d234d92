/** What every test of the page stands on: a stack with a model that says what it is told to, and a browser. */
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type Stack, startStack } from "../../shared/testing/node/stack.ts";
import { type FakeModelServer, startFakeModelServer } from "../../shared/testing/providers/fake-model-server.ts";
import { launchChromium } from "./chromium.ts";
import { type Visitor, visit } from "./visitor.ts";

interface StageOptions {
  /** Added to what the stack is started with; the same names win. */
  env?: Record<string, string>;
}

export interface Stage {
  readonly models: FakeModelServer;
  readonly stack: Stack;
  readonly browser: Browser;
  /** Somebody new at the page, gone again after the test. */
  visit(options?: BrowserContextOptions): Promise<Visitor>;
}

/** Set up once for the tests of a file that calls this at its top; the model is plain again before each. */
export function setStage({ env = {} }: StageOptions = {}): Stage {
  let models: FakeModelServer;
  let stack: Stack;
  let browser: Browser;
  const visitors: Visitor[] = [];
  beforeAll(async () => {
    models = await startFakeModelServer();
    const model = { ANTHROPIC_BASE_URL: models.url, ANTHROPIC_API_KEY: "test-key" };
    [stack, browser] = await Promise.all([startStack({ env: { ...model, ...env } }), launchChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
    await models?.close();
  });
  beforeEach(() => models.always({}));
  afterEach(async () => {
    for (const visitor of visitors.splice(0)) await visitor.close();
  });
  return {
    get models() {
      return models;
    },
    get stack() {
      return stack;
    },
    get browser() {
      return browser;
    },
    visit: async (options = {}) => {
      const visitor = await visit(browser, stack.url, options);
      visitors.push(visitor);
      return visitor;
    },
  };
}
