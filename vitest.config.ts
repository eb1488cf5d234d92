import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          include: ["{shared,selfhost,scripts,clients,tests/fences,tests/fuzz}/**/*.test.{ts,tsx}"],
          exclude: ["**/*.workerd.test.ts", "**/node_modules/**"],
          environment: "node",
        },
      },
      "./workers/vitest.config.ts",
      {
        test: {
          name: "stack",
          include: ["tests/**/*.test.ts"],
          exclude: ["tests/fences/**", "tests/fuzz/**", "tests/isolation/**", "**/node_modules/**"],
          environment: "node",
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
