// Builds the page for operators: `node build.mjs [folder]`, by default into graph/static/graphiql.
// The same sources and lock file give the same files, byte for byte; tests/graph/test_graphiql.py compares them.
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const outdir = resolve(process.argv[2] ?? `${here}/../static/graphiql`);
const require = createRequire(import.meta.url);

// Messages of graphql-js and GraphiQL to programmers name sites where packages are; no such place is named here.
const sites = {
  name: "sites",
  setup: (build) => build.onLoad({ filter: /(graphql\/jsutils\/instanceOf|@graphiql\/react\/dist\/.*)\.m?js$/ }, withoutSites),
};

function withoutSites({ path }) {
  const contents = readFileSync(path, "utf8").replace(/https:\/\/(yarnpkg\.com|github\.com\/graphql\/graphiql\/tree)\/[^\s"'`]+/g, "");
  return { contents, loader: "js" };
}

// GraphiQL's style sheet has Monaco's in it; without this it would come along twice.
const monaco = {
  name: "monaco",
  setup: (build) => build.onLoad({ filter: /monaco-editor\/esm\/.*\.css$/ }, () => ({ contents: "", loader: "empty" })),
};

// `import texts from "recipes"` is the files of that folder, by name.
const recipes = {
  name: "recipes",
  setup(build) {
    build.onResolve({ filter: /^recipes$/ }, () => ({ path: "recipes", namespace: "recipes" }));
    build.onLoad({ filter: /.*/, namespace: "recipes" }, () => {
      const files = readdirSync(`${here}/recipes`).filter((file) => file.endsWith(".graphql")).sort();
      return { contents: JSON.stringify(files.map((file) => readFileSync(`${here}/recipes/${file}`, "utf8"))), loader: "json" };
    });
  },
};

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: "es2022",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"', "globalThis.process": "true" },
  plugins: [sites, monaco, recipes],
  logLevel: "warning",
  outdir,
};

rmSync(outdir, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: { page: "page.jsx" },
  format: "esm",
  splitting: true,
  jsx: "automatic",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".ttf": "file" },
});
await build({
  ...common,
  entryPoints: {
    "editor.worker": require.resolve("monaco-editor/esm/vs/editor/editor.worker.js"),
    "json.worker": require.resolve("monaco-editor/esm/vs/language/json/json.worker.js"),
    "graphql.worker": require.resolve("monaco-graphql/esm/graphql.worker.js"),
  },
  format: "iife",
});
