/** Characters that show nothing, or turn what follows around: with them, text can look like other text. */
const DECEIVING = /\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}|\p{Variation_Selector}/gu;

/** Text to decide by, such as a tool's input: what would not be seen is written as its code (`\u202e`). Lines stay. */
export const visibleText = (text: string): string =>
  text.replace(DECEIVING, (character) =>
    character === "\n" || character === "\t"
      ? character
      : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
