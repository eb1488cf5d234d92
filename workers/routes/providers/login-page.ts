const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? "");

const STYLE = "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}";
/** Of the text between the tags, so that nothing else can be a style here. */
const STYLE_HASH = "sha256-guOENb3GXL/dakK+e/JWdz1NHAo8zFadk2emxLWqmbY=";

export interface LoginPage {
  status: 200 | 400 | 401 | 404 | 500 | 502 | 503;
  title: string;
  /** Whole sentences. */
  text: string[];
  link?: { to: string; text: string };
}

/** A page for the browser that comes back from a vendor: words alone, no script, nothing loaded from anywhere. */
export function loginPage({ status, title, text, link }: LoginPage): Response {
  const body = [
    ...text.map((sentence) => `<p>${escapeHtml(sentence)}</p>`),
    ...(link ? [`<p><a href="${escapeHtml(link.to)}">${escapeHtml(link.text)}</a></p>`] : []),
  ].join("\n");
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
${body}
</body>
</html>
`;
  return new Response(page, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; style-src '${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    },
  });
}
