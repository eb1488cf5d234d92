const keyOf = (draftKey: string) => `mosaic:draft:${draftKey}`;

/** On sign-out: what was typed here is not for whoever uses this browser next. */
export function forgetDrafts(): void {
  try {
    const keys = Array.from({ length: localStorage.length }, (_unused, index) => localStorage.key(index) ?? "");
    for (const key of keys) if (key.startsWith(keyOf(""))) localStorage.removeItem(key);
  } catch {
    // Without storage there is nothing to forget.
  }
}

/** What was typed and not sent, kept over a reload. Without storage a draft lives as long as the page. */
export function readDraft(draftKey: string): string {
  try {
    return localStorage.getItem(keyOf(draftKey)) ?? "";
  } catch {
    return "";
  }
}

export function saveDraft(draftKey: string, text: string): void {
  try {
    if (text === "") localStorage.removeItem(keyOf(draftKey));
    else localStorage.setItem(keyOf(draftKey), text);
  } catch {
    // Storage is full or refused: nothing is lost while the page is open.
  }
}
