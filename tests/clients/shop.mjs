// The shop that the tests are run against. tests/clients/test_clients.py opens it and says here how to reach it.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSchema, isScalarType, isSpecifiedScalarType } from "graphql";

export const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = dirname(dirname(HERE));
export const SCHEMA = `${ROOT}/schema.graphql`;

/** `url` of the endpoint, `tokens` by role, and `member`: the global id of the one whose token is `tokens.member`. */
export const shop = JSON.parse(process.env.LAUREL_SHOP ?? "{}");

export const PROGRESS = "subscription Progress($by: MemberByInput!) { memberProgress(by: $by) { externalId points { available } } }";

/** What graphql-codegen is to make of our scalars: points are numbers, all others are text. */
export function scalars() {
  const types = Object.values(buildSchema(readFileSync(SCHEMA, "utf8")).getTypeMap());
  const custom = types.filter((type) => isScalarType(type) && !isSpecifiedScalarType(type));
  return Object.fromEntries(custom.map(({ name }) => [name, name === "Points" ? "number" : "string"]));
}

let keys = 0;

/** A key for a mutation, another one each time. */
export const newKey = () => `client:${process.pid}:${++keys}`;

export const authorized = (role) => ({ Authorization: `Bearer ${shop.tokens[role]}` });

/** The data of an answer that must have no errors. */
export async function ask(query, variables = {}, role = "operator") {
  const response = await fetch(shop.url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...authorized(role) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Give the member points; what can be spent then. */
export async function give(points) {
  const { adjustPoints } = await ask(
    `mutation ($input: AdjustPointsInput!) {
      adjustPoints(input: $input) { member { points { available } } errors { code } }
    }`,
    { input: { member: { id: shop.member }, points, reason: "a client's test", idempotencyKey: newKey() } },
  );
  return adjustPoints.member.points.available;
}

let compiled;

/** The folder with what relay-compiler made of relay/documents.js. */
export function compiledByRelay() {
  compiled ??= compile();
  return compiled;
}

function compile() {
  const folder = `${HERE}/out/relay`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/package.json`, '{ "type": "commonjs" }\n');
  execFileSync(`${HERE}/node_modules/.bin/relay-compiler`, ["relay.config.json"], { cwd: HERE, stdio: "pipe" });
  return folder;
}
