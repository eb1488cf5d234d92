import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHttpMailer } from "./http-mailer.ts";
import { createMailboxMailer } from "./mailbox-mailer.ts";
import { createNoMailer } from "./no-mailer.ts";

const mail = { to: "ada@example.com", subject: "Hello", text: "A line\nand another" };
let server: Server;
let url = "";
let status = 200;
const received: { authorization: string | undefined; body: unknown }[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += String(chunk);
    });
    request.on("end", () => {
      received.push({ authorization: request.headers.authorization, body: JSON.parse(text) });
      response.writeHead(status, { location: "/elsewhere" }).end("secret words of the service");
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/emails`;
});
afterAll(() => void server.close());

describe("mail", () => {
  it("goes to a mail service as JSON with a bearer key", async () => {
    await createHttpMailer({ url, key: "key-1", from: "Mosaic <m@example.com>" }).send(mail);
    expect(received.at(-1)).toEqual({
      authorization: "Bearer key-1",
      body: { from: "Mosaic <m@example.com>", to: ["ada@example.com"], subject: "Hello", text: mail.text },
    });
  });

  it.each([302, 401, 500])("is not taken for sent when the service answers %s", async (answer) => {
    status = answer;
    const sent = createHttpMailer({ url, key: "key-1", from: "m@example.com" }).send(mail);
    await expect(sent).rejects.toMatchObject({
      code: "provider_failed",
      message: expect.not.stringMatching(/secret|key-1/),
    });
    status = 200;
  });

  it("is not taken for sent when nobody is there", async () => {
    const sent = createHttpMailer({ url: "http://127.0.0.1:9/", from: "m@example.com" }).send(mail);
    await expect(sent).rejects.toMatchObject({ code: "provider_failed" });
  });

  it("drops into the letter box of the stack", async () => {
    await createMailboxMailer({ fetch: (_url, init) => fetch(url, init) }).send(mail);
    expect(received.at(-1)).toEqual({ authorization: undefined, body: mail });
  });

  it("says how to configure it where it is not", async () => {
    await expect(createNoMailer().send(mail)).rejects.toThrow(/MAIL_API_URL/);
  });
});
