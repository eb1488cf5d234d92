import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { type Behaviour, startFakeModelServer } from "../providers/fake-model-server.ts";

/** A scripted vendor for all tests in workerd, with a door through which a test inside workerd can set it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const models = await startFakeModelServer();
  const control = createServer(async (request, response) => {
    if (request.method === "POST") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      models.next(...(JSON.parse(Buffer.concat(chunks).toString()) as Behaviour[]));
    }
    if (request.method === "DELETE") models.journal.length = 0;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(models.journal));
  });
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve));
  project.provide("modelUrl", models.url);
  project.provide("modelControlUrl", `http://127.0.0.1:${(control.address() as AddressInfo).port}`);
  return async () => {
    control.close();
    await models.close();
  };
}
