// Builds the member centre: `node build.mjs [folder]`, by default into graph/static/centre.
// The same sources and lock file give the same files, byte for byte; tests/graph/test_centre.py compares them.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "esbuild";
import { here, options } from "./building.mjs";
import { generateClient } from "./codegen.mjs";

const outdir = resolve(process.argv[2] ?? `${here}/../static/centre`);

await generateClient();
rmSync(outdir, { recursive: true, force: true });
mkdirSync(outdir, { recursive: true });
await build({ ...options, minify: true, legalComments: "none", define: { "process.env.NODE_ENV": '"production"' }, outdir });
copyFileSync(`${here}/page.html`, `${outdir}/page.html`);

// What the page asks, by its hash. A server that executes none but trusted documents reads here what its own page asks; for a copy
// of the page LAUREL_TRUSTED_DOCUMENTS names the file.
const { outputFiles } = await build({ absWorkingDir: here, entryPoints: ["generated/graphql.ts"], bundle: true, format: "esm", write: false });
const made = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
const texts = Object.keys(made).filter((name) => name.endsWith("Document")).map((name) => made[name].toString());
const manifest = Object.fromEntries(texts.map((text) => [createHash("sha256").update(text).digest("hex"), text]));
writeFileSync(`${outdir}/documents.json`, `${JSON.stringify(manifest, null, 1)}\n`);
