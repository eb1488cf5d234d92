import { type ComponentProps, memo, type ReactNode, useState } from "react";
import { Streamdown } from "streamdown";
import { CodeBlock } from "./code-block.tsx";
import { safeImage, safeLink } from "./safe-url.ts";

type Props<Tag extends "a" | "img" | "pre" | "table"> = ComponentProps<Tag> & { node?: unknown };

function SafeLink({ href, children }: Props<"a">) {
  const url = safeLink(href ?? "");
  if (url === null) return <span>{children}</span>;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer" referrerPolicy="no-referrer">
      {children}
    </a>
  );
}

function SafeImage({ src, alt }: Props<"img">) {
  const address = typeof src === "string" ? src : "";
  const url = safeImage(address, location.origin);
  if (url !== null) return <img src={url} alt={alt ?? ""} loading="lazy" />;
  const link = safeLink(address);
  const label = `Image not loaded${alt ? `: ${alt}` : ""}`;
  if (link === null) return <span className="text-soft">[{label}]</span>;
  return (
    <a href={link} target="_blank" rel="noopener noreferrer" referrerPolicy="no-referrer" title={link}>
      [{label}]
    </a>
  );
}

interface CodeProps {
  className?: string;
  children?: ReactNode;
}
const isCode = (node: ReactNode): node is React.ReactElement<CodeProps> =>
  typeof node === "object" && node !== null && "props" in node;

function Fence({ children }: Props<"pre">) {
  if (!isCode(children)) return <pre>{children}</pre>;
  const { className, children: code } = children.props;
  return (
    <CodeBlock
      language={/language-(\S+)/.exec(className ?? "")?.[1] ?? ""}
      code={String(code ?? "").replace(/\n$/, "")}
    />
  );
}

const ScrollingTable = ({ children }: Props<"table">) => (
  <div className="table-scroll">
    <table>{children}</table>
  </div>
);

/** Every element is named: what streamdown would draw itself brings its own controls and look. */
const plain = <Tag extends keyof React.JSX.IntrinsicElements>(tag: Tag): Tag => tag;
const components = {
  a: SafeLink,
  img: SafeImage,
  pre: Fence,
  code: plain("code"),
  table: ScrollingTable,
  thead: plain("thead"),
  tbody: plain("tbody"),
  tr: plain("tr"),
  th: plain("th"),
  td: plain("td"),
  p: plain("p"),
  h1: plain("h1"),
  h2: plain("h2"),
  h3: plain("h3"),
  h4: plain("h4"),
  h5: plain("h5"),
  h6: plain("h6"),
  ul: plain("ul"),
  ol: plain("ol"),
  li: plain("li"),
  blockquote: plain("blockquote"),
  hr: plain("hr"),
  strong: plain("strong"),
  sup: plain("sup"),
  sub: plain("sub"),
  section: plain("section"),
};

interface MarkdownProps {
  text: string;
  streaming: boolean;
}

/** A model's markdown. Raw HTML stays text (no `rehype-raw`), links and images pass `safe-url`. */
function MarkdownText({ text, streaming }: MarkdownProps) {
  // What began as a stream stays one: the other mode would build the whole answer anew at its end.
  const [mode] = useState<"streaming" | "static">(streaming ? "streaming" : "static");
  return (
    <Streamdown
      className="prose"
      mode={mode}
      parseIncompleteMarkdown={streaming}
      isAnimating={streaming}
      rehypePlugins={[]}
      controls={false}
      linkSafety={{ enabled: false }}
      urlTransform={(url) => url}
      components={components}
    >
      {text}
    </Streamdown>
  );
}

export default memo(MarkdownText);
