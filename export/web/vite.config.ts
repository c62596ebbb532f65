import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 1500,
    assetsInlineLimit: 0, // the Content-Security-Policy wants files
  },
  // During development the API comes from a running stadtluft.
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
