/**
 * Cuts README.md and docs/ into passages for the built-in guide.
 * `node scripts/build-guide.ts` writes guide-content.gen.ts; with `--check` it only says whether that file is current.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const target = join(root, "shared/adapters/providers/guide/guide-content.gen.ts");
const MAX_PASSAGE_LENGTH = 1_200;

export interface Passage {
  doc: string;
  heading: string;
  text: string;
}

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      // Decision records explain the past; a person who asks the guide wants to know how.
      if (entry.isDirectory()) return entry.name === "decisions" ? [] : markdownFiles(path);
      return entry.name.endsWith(".md") ? [path] : [];
    })
    .sort();
}

/** Whole paragraphs up to the length a reader takes in at once. */
function paragraphsOf(text: string): string[] {
  const passages: string[] = [];
  for (const paragraph of text
    .split(/\n{2,}/)
    .map((piece) => piece.trim())
    .filter(Boolean)) {
    const last = passages.at(-1);
    if (last !== undefined && last.length + paragraph.length < MAX_PASSAGE_LENGTH)
      passages[passages.length - 1] = `${last}\n\n${paragraph}`;
    else passages.push(paragraph.slice(0, MAX_PASSAGE_LENGTH));
  }
  return passages;
}

/** One document as passages, each under the heading it stands below. */
export function passagesOf(doc: string, markdown: string): Passage[] {
  const prose = markdown.replace(/^!\[.*$(?:\n+\*[^*\n]+\*$)?/gm, "").replace(/<!--[\s\S]*?-->/g, "");
  let fenced = false;
  let heading = doc;
  let lines: string[] = [];
  const passages: Passage[] = [];
  const close = (): void => {
    for (const text of paragraphsOf(lines.join("\n"))) passages.push({ doc, heading, text });
    lines = [];
  };
  for (const line of prose.split("\n")) {
    if (line.startsWith("```")) fenced = !fenced;
    const title = fenced ? undefined : /^#{1,6}\s+(.+)$/.exec(line)?.[1];
    if (title === undefined) {
      lines.push(line);
      continue;
    }
    close();
    heading = title.trim();
  }
  close();
  return passages;
}

/** The generated file's text, from what stands in the folder now. */
export function guideContent(folder: string): string {
  const readme = join(folder, "README.md");
  const files = [
    ...readdirSync(folder)
      .filter((name) => name === "README.md")
      .map(() => readme),
    ...markdownFiles(join(folder, "docs")),
  ];
  const passages = files.flatMap((file) => passagesOf(relative(folder, file), readFileSync(file, "utf8")));
  return [
    "// Made by scripts/build-guide.ts from README.md and docs/. Do not edit.",
    "export const GUIDE_PASSAGES: readonly { doc: string; heading: string; text: string }[] =",
    `  ${JSON.stringify(passages, null, 1)};`,
    "",
  ].join("\n");
}

function main(): void {
  const content = guideContent(root);
  if (process.argv.includes("--check")) {
    if (readFileSync(target, "utf8") === content) return;
    console.error("The guide's content is older than the documents. Run `node scripts/build-guide.ts`.");
    process.exitCode = 1;
    return;
  }
  writeFileSync(target, content);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
