const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The first letter of a name as a person sees it: an emoji or an accented letter is whole. */
export function initialOf(name: string): string {
  const [first] = graphemes.segment(name.trim());
  return first?.segment.toLocaleUpperCase() ?? "";
}
