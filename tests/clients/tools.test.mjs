// Tools that need nothing but the schema: they must take it as it is.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";
import { generate } from "@graphql-codegen/cli";
import graphqlPlugin from "@graphql-eslint/eslint-plugin";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { ESLint } from "eslint";
import { buildSchema } from "graphql";
import { HERE, ROOT, SCHEMA, compiledByRelay, scalars } from "./shop.mjs";

const run = promisify(execFile);

test("relay-compiler takes the schema, refetches members by node(id:) and pages through a connection", async () => {
  const folder = await compiledByRelay();
  const artifact = await readFile(`${folder}/documentsHistoryPaginationQuery.graphql.js`, "utf8");
  assert.match(artifact, /node\(id: \$id\)/);
});

test("what graphql-codegen makes compiles, and tells right from wrong", async () => {
  await mkdir(`${HERE}/out/codegen`, { recursive: true });
  await generate(
    {
      silent: true,
      schema: SCHEMA,
      documents: `${HERE}/codegen/shop.ts`,
      generates: { [`${HERE}/out/codegen/`]: { preset: "client", config: { scalars: scalars(), strictScalars: true, useTypeImports: true, onlyOperationTypes: true } } },
    },
    true,
  );
  await run(`${HERE}/node_modules/.bin/tsc`, ["--project", `${HERE}/codegen`]);
});

test("graphql-eslint's rules for schemas and for Relay find nothing", async () => {
  const rules = { ...graphqlPlugin.configs["flat/schema-recommended"].rules, ...graphqlPlugin.configs["flat/schema-relay"].rules };
  // Ids are for what can be fetched again by node(id:); a balance or a refusal is a value.
  rules["@graphql-eslint/strict-id-in-types"] = "off";
  // Connections have `nodes` beside `edges`, and lists that cannot grow are lists.
  rules["@graphql-eslint/relay-edge-types"] = ["error", { listTypeCanWrapOnlyEdgeType: false, shouldImplementNode: false }];
  // It takes Balance.balance and Share.sharedAt for repetitions.
  rules["@graphql-eslint/no-typename-prefix"] = "off";
  // EventType is the type of an event.
  const [, naming] = rules["@graphql-eslint/naming-convention"];
  const suffixed = { ...naming, "ObjectTypeDefinition,ObjectTypeExtension": { forbiddenPrefixes: ["Type"] } };
  rules["@graphql-eslint/naming-convention"] = ["error", suffixed];
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfigFile: true,
    overrideConfig: {
      files: ["schema.graphql"],
      languageOptions: { parser: graphqlPlugin.parser, parserOptions: { graphQLConfig: { schema: SCHEMA } } },
      plugins: { "@graphql-eslint": graphqlPlugin },
      rules,
    },
  });
  const [{ messages }] = await eslint.lintFiles([SCHEMA]);
  assert.deepEqual(messages.map(({ line, ruleId, message }) => `${line} ${ruleId} ${message}`), []);
});

test("graphql-inspector finds nothing that breaks clients of the last release, but what is said to", async () => {
  const [before, after] = [`${ROOT}/tests/released/schema.graphql`, SCHEMA].map((file) => buildSchema(readFileSync(file, "utf8")));
  const told = readFileSync(`${ROOT}/tests/released/breaking.toml`, "utf8");
  const changes = await diff(before, after);
  const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
  assert.ok(changes.length > breaking.length);
  assert.deepEqual(breaking.filter(({ path }) => !told.includes(path)).map(({ message }) => message), []);
});
