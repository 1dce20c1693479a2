// Builds pages/ into the folder that the worker serves. Nothing is inlined: the page's content security
// policy allows scripts, workers and WASM from its own origin only.
import { defineConfig } from "vite";

export default defineConfig({
  root: "pages",
  base: "./",
  worker: { format: "es" },
  build: {
    outDir: "../worker/public",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
