// Builds the dashboard: `node build.mjs [folder]`, by default into graph/static/dashboard. Types and texts of its questions are
// made of schema.graphql and operations.graphql first, into src/generated.ts, which is not kept; then tsc has its say.
// The same sources and lock file give the same files, byte for byte; tests/graph/test_dashboard.py compares them.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { codegen } from "@graphql-codegen/core";
import * as typedDocumentNode from "@graphql-codegen/typed-document-node";
import * as typescript from "@graphql-codegen/typescript";
import * as typescriptOperations from "@graphql-codegen/typescript-operations";
import { build } from "esbuild";
import { parse } from "graphql";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = resolve(process.argv[2] ?? `${here}/../static/dashboard`);
const read = (file) => parse(readFileSync(`${here}/${file}`, "utf8"));

const generated = await codegen({
  filename: "generated.ts",
  schema: read("../../schema.graphql"),
  documents: [{ location: "operations.graphql", document: read("operations.graphql") }],
  config: {
    scalars: { Day: "string", Instant: "string", Decimal: "string", Points: "number", CurrencyCode: "string" },
    strictScalars: false,
    defaultScalarType: "unknown",
    enumsAsTypes: true,
    onlyOperationTypes: true,
    skipTypename: true,
    useTypeImports: true,
    documentMode: "string",
    avoidOptionals: { field: false, inputValue: false, object: false },
  },
  plugins: [{ operations: {} }, { documents: {} }],
  pluginMap: { types: typescript, operations: typescriptOperations, documents: typedDocumentNode },
});
writeFileSync(`${here}/src/generated.ts`, generated);
execFileSync(process.execPath, [createRequire(import.meta.url).resolve("typescript/package.json").replace("package.json", "bin/tsc"), "-p", here], {
  stdio: "inherit",
});

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: here,
  entryPoints: { page: "src/page.tsx", style: "src/style.css" },
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  chunkNames: "[name]-[hash]",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
  outdir,
});

// What the page asks, by its hash: a server that executes none but trusted documents reads here what its own page asks.
const { outputFiles } = await build({ absWorkingDir: here, entryPoints: ["src/generated.ts"], bundle: true, format: "esm", write: false });
const made = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
const texts = Object.keys(made).filter((name) => name.endsWith("Document")).map((name) => made[name].toString());
const manifest = Object.fromEntries(texts.map((text) => [createHash("sha256").update(text).digest("hex"), text]));
writeFileSync(`${outdir}/documents.json`, `${JSON.stringify(manifest, null, 1)}\n`);
