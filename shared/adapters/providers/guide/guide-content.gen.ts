// Made by scripts/build-guide.ts from README.md and docs/. Do not edit.
export const GUIDE_PASSAGES: readonly { doc: string; heading: string; text: string }[] =
  [];
