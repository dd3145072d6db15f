// The manifests of trusted documents that relay-compiler, Apollo and graphql-codegen write, for tests/clients/test_clients.py to serve.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { generate } from "@graphql-codegen/cli";
import { HERE, SCHEMA, scalars } from "./shop.mjs";

const folder = process.env.LAUREL_MANIFESTS;

test("relay-compiler writes one", () => {
  const made = `${HERE}/out/relay-persisted`;
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  writeFileSync(`${made}/relay.json`, "{}");
  const config = JSON.parse(readFileSync(`${HERE}/relay.config.json`, "utf8"));
  const persisted = { ...config, artifactDirectory: "./out/relay-persisted", persistConfig: { file: "./out/relay-persisted/relay.json", algorithm: "SHA256" } };
  writeFileSync(`${HERE}/out/relay-persisted.config.json`, JSON.stringify(persisted));
  execFileSync(`${HERE}/node_modules/.bin/relay-compiler`, ["./out/relay-persisted.config.json"], { cwd: HERE, stdio: "pipe" });
  writeFileSync(`${folder}/relay.json`, readFileSync(`${made}/relay.json`));
});

test("graphql-codegen writes one", async () => {
  const made = `${HERE}/out/codegen-persisted/`;
  mkdirSync(made, { recursive: true });
  const presetConfig = { persistedDocuments: { hashAlgorithm: "sha256" } };
  const generates = { [made]: { preset: "client", presetConfig, config: { scalars: scalars(), onlyOperationTypes: true } } };
  await generate({ silent: true, schema: SCHEMA, documents: `${HERE}/codegen/shop.ts`, generates }, true);
  writeFileSync(`${folder}/codegen.json`, readFileSync(`${made}/persisted-documents.json`));
});

test("Apollo's generator writes one", () => {
  const config = `${HERE}/out/apollo-manifest.json`;
  writeFileSync(config, JSON.stringify({ documents: ["apollo/*.graphql"], output: `${folder}/apollo.json` }));
  execFileSync(`${HERE}/node_modules/.bin/generate-persisted-query-manifest`, ["--config", config], { cwd: HERE, stdio: "pipe" });
});
