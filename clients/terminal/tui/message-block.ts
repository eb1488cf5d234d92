import { type Component, Container, Markdown, Spacer, Text } from "@earendil-works/pi-tui";
import { endingOf, seamsOf } from "../../../shared/client/view-seams.ts";
import type { Notice, ViewMessage } from "../../../shared/client/view-state.ts";
import { type Part, textOf } from "../../../shared/contract/message.ts";
import { plainLine, plainText } from "../plain-text.ts";
import { noticeLine, routedModelLine, sendMark } from "./format.ts";
import type { Theme } from "./theme.ts";

const SHOWN_INPUT = 100;

const shortened = (value: unknown): string => {
  const text = plainLine(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
  return text.length > SHOWN_INPUT ? `${text.slice(0, SHOWN_INPUT)}…` : text;
};

function thinkingPart(text: string, theme: Theme, expanded: boolean): Component[] {
  const shown = plainText(text).trim();
  if (shown === "") return [];
  if (expanded) return [new Text(theme.thinking(shown), 2, 0), new Spacer(1)];
  const words = shown.split(/\s+/).length;
  return [new Text(theme.dim(`▸ thinking, ${words} words (Ctrl+T shows it)`), 1, 0)];
}

function partBlocks(part: Part, theme: Theme, expanded: boolean): Component[] {
  switch (part.type) {
    case "text":
      return part.text.trim() === "" ? [] : [new Markdown(plainText(part.text).trim(), 1, 0, theme.markdown)];
    case "thinking":
      return thinkingPart(part.text, theme, expanded);
    case "tool-call":
      return [new Text(theme.dim(`⚙ ${plainLine(part.name)} ${shortened(part.input)}`), 1, 0)];
    case "tool-result":
      return [new Text(theme.dim(`${part.isError ? "✗" : "✓"} ${shortened(part.output)}`), 1, 0)];
    case "image":
    case "file":
      return [new Text(theme.dim(`[${plainLine(part.name)}]`), 1, 0)];
  }
}

function questionBlock(message: ViewMessage, theme: Theme): Component[] {
  const mark = sendMark(message);
  const files = message.parts.flatMap((part) =>
    "name" in part && "fileId" in part ? [` [${plainLine(part.name)}]`] : [],
  );
  const text = plainText(textOf(message.parts)).replaceAll("\n", "\n  ") + files.join("");
  const style = message.status === "failed" ? theme.failure : theme.dim;
  return [new Text(`${theme.accent("❯")} ${theme.bold(text)}${mark === null ? "" : `  ${style(mark)}`}`, 0, 0)];
}

function answerBlock(message: ViewMessage, theme: Theme, expanded: boolean): Component[] {
  const seams = seamsOf(message);
  const said = (notice: Notice): Component =>
    new Text((notice.kind === "failed" ? theme.failure : theme.warning)(noticeLine(notice)), 1, 0);
  const saidAt = (place: number): Component[] =>
    seams.flatMap(({ notice, afterParts }) => (afterParts === place ? [said(notice)] : []));
  const blocks = message.parts.flatMap((part, place) => [...saidAt(place), ...partBlocks(part, theme, expanded)]);
  if (blocks.length === 0 && message.status === "streaming") blocks.push(new Text(theme.dim("…"), 1, 0));
  blocks.push(...saidAt(message.parts.length));
  const ending = endingOf(message);
  if (ending !== null) blocks.push(said(ending));
  if (message.status === "stopped") blocks.push(new Text(theme.warning("stopped"), 1, 0));
  const routed = routedModelLine(message);
  if (routed !== null) blocks.push(new Text(theme.dim(routed), 1, 0));
  return blocks;
}

/** One message as it stands now; built anew when it changes. */
export function messageBlock(message: ViewMessage, theme: Theme, expanded: boolean): Container {
  const block = new Container();
  if (message.deleted) {
    block.addChild(new Text(theme.dim("(deleted)"), 1, 0));
  } else {
    const parts = message.role === "user" ? questionBlock(message, theme) : answerBlock(message, theme, expanded);
    for (const part of parts) block.addChild(part);
  }
  block.addChild(new Spacer(1));
  return block;
}
