/**
 * What a model may link to and show. Its markdown is hostile: a link may only lead to the web or to mail, and an image
 * may only come from this origin or from the text itself, because loading a remote one would carry words out.
 */
export function safeLink(url: string): string | null {
  const clean = url.trim();
  if (!/^(https?:\/\/|mailto:)/i.test(clean)) return null;
  return URL.canParse(clean) ? clean : null;
}

export function safeImage(url: string, origin: string): string | null {
  const clean = url.trim();
  if (/^data:image\/(png|jpeg|gif|webp|avif);base64,[a-z0-9+/=\s]+$/i.test(clean)) return clean;
  try {
    const target = new URL(clean, origin);
    // Only stored files: any other path of this origin would be a request made in the reader's name.
    return target.origin === origin && target.pathname.startsWith("/api/files/") ? target.href : null;
  } catch {
    return null;
  }
}
