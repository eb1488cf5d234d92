/** Spellings in which a credential could stand in an error text. The first group of each stays. */
const SECRETS: RegExp[] = [
  /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi,
  /(\b(?:bearer|basic)\s+)[\w.~+/=-]+/gi,
  /((?:api[-_]?key|token|secret|password|authorization|cookie|ticket)["']?\s*[=:]\s*["']?)[^\s"',;&]+/gi,
  /(\bsk-)[\w-]{6,}/g,
];

/** A text that may go to a log: credentials in it are replaced. */
export const redact = (text: string): string =>
  SECRETS.reduce((clean, pattern) => clean.replace(pattern, "$1[redacted]"), text);
