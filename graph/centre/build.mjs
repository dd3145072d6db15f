// Builds the member centre: `node build.mjs [folder]`, by default into graph/static/centre.
// The same sources and lock file give the same files, byte for byte; tests/graph/test_centre.py compares them.
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { generateClient } from "./codegen.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = resolve(process.argv[2] ?? `${here}/../static/centre`);

await generateClient();
rmSync(outdir, { recursive: true, force: true });
mkdirSync(outdir, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { page: "src/main.tsx" },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
  outdir,
});
copyFileSync(`${here}/page.html`, `${outdir}/page.html`);
