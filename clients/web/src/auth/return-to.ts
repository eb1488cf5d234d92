/** Where to go after sign-in: a path of this page and nothing else, so that a link cannot send people elsewhere. */
export function safeReturnTo(value: unknown): string {
  if (typeof value !== "string" || !value.startsWith("/")) return "/";
  try {
    const origin = "https://mosaic.invalid";
    const url = new URL(value, origin);
    return url.origin === origin ? `${url.pathname}${url.search}` : "/";
  } catch {
    return "/";
  }
}
