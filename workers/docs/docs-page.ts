/** Everything the page needs comes from this origin; Swagger UI sets styles inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Mosaic API</title>
    <link rel="stylesheet" href="/docs-assets/swagger-ui.css">
  </head>
  <body>
    <main id="docs"></main>
    <noscript>This page needs JavaScript; the description itself is at <a href="/api/openapi.json">/api/openapi.json</a>.</noscript>
    <script src="/docs-assets/swagger-ui-bundle.js"></script>
    <script src="/docs-assets/init.js"></script>
  </body>
</html>
`;

/** The browsable page over `/api/openapi.json`. */
export const docsPage = (): Response =>
  new Response(PAGE, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": POLICY,
      "cache-control": "no-cache",
    },
  });
