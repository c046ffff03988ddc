import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const runtime = process.env["ALLERAC_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: {
    proxy: { "/api": runtime, "/v1": runtime },
  },
  build: {
    target: "es2022",
    manifest: true,
    // Data URLs would need a wider policy for fonts, and they defeat immutable caching.
    assetsInlineLimit: 0,
    // The polyfill is an inline script in old browsers only; all that we support preload by themselves.
    modulePreload: { polyfill: false },
  },
  test: {
    environment: "jsdom",
    globals: true,
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    testTimeout: 60_000,
    // Every file leaves its page and its mock as it found them (tests/setup.ts), so that a worker reads
    // the application once: a third of the time.
    isolate: false,
    pool: "threads",
    maxWorkers: "100%",
  },
});
