/** A file's text, as Vite's `?raw` gives it. */
declare module "*.toml?raw" {
  const text: string;
  export default text;
}
