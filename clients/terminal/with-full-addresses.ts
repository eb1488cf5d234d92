/** The server answers with paths, which a page resolves; a terminal's reader needs the whole address to open it. */
export const withFullAddresses = (text: string, url: string): string =>
  text.replace(/(^|\s)(?=\/api\/\S)/g, (before) => `${before}${url}`);
