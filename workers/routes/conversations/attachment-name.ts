/** A `Content-Disposition` that any client reads: ASCII as a fallback, the real name beside it (RFC 6266). */
export function attachmentNamed(title: string, extension: string): string {
  const cleaned = title.replaceAll(/[\p{Cc}\s\\/:*?"<>|]+/gu, " ").trim();
  const name = cleaned.slice(0, 80).toWellFormed() || "conversation";
  const ascii = name.replaceAll(/[^\x20-\x7e]|%/g, "_");
  const encoded = encodeURIComponent(`${name}.${extension}`).replaceAll("'", "%27");
  return `attachment; filename="${ascii}.${extension}"; filename*=UTF-8''${encoded}`;
}
