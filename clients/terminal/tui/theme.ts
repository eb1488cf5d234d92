import type { EditorTheme, MarkdownTheme } from "@earendil-works/pi-tui";

type Style = (text: string) => string;

export interface Theme {
  dim: Style;
  bold: Style;
  accent: Style;
  warning: Style;
  failure: Style;
  thinking: Style;
  markdown: MarkdownTheme;
  editor: EditorTheme;
}

const plain: Style = (text) => text;

/** Sixteen-colour styles, so that the terminal's own palette decides; none at all where colour is unwanted. */
export function themeFor(colour: boolean): Theme {
  const style = (on: number, off: number): Style => (colour ? (text) => `\x1b[${on}m${text}\x1b[${off}m` : plain);
  const dim = style(2, 22);
  const bold = style(1, 22);
  const italic = style(3, 23);
  const cyan = style(36, 39);
  const yellow = style(33, 39);
  return {
    dim,
    bold,
    accent: cyan,
    warning: yellow,
    failure: style(31, 39),
    thinking: (text) => dim(italic(text)),
    markdown: {
      heading: (text) => bold(cyan(text)),
      link: cyan,
      linkUrl: dim,
      code: yellow,
      codeBlock: plain,
      codeBlockBorder: dim,
      quote: italic,
      quoteBorder: dim,
      hr: dim,
      listBullet: cyan,
      bold,
      italic,
      strikethrough: style(9, 29),
      underline: style(4, 24),
    },
    editor: {
      borderColor: dim,
      selectList: { selectedPrefix: cyan, selectedText: cyan, description: dim, scrollInfo: dim, noMatch: dim },
    },
  };
}
