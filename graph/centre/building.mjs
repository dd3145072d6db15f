// What the page is built of, for `build.mjs` and `serve.mjs`.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export const here = dirname(fileURLToPath(import.meta.url));

/** The options of esbuild. */
export const options = {
  absWorkingDir: here,
  entryPoints: { page: "src/main.tsx" },
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
};
