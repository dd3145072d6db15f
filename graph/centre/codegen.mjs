// The client: types and documents of `operations`, made from schema.graphql and from nothing else.
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { generate } from "@graphql-codegen/cli";
import { buildSchema, isScalarType, isSpecifiedScalarType } from "graphql";

const here = dirname(fileURLToPath(import.meta.url));
const schema = [`${here}/schema.graphql`, `${here}/../../schema.graphql`].find(existsSync); // a copy has its own
const types = Object.values(buildSchema(readFileSync(schema, "utf8")).getTypeMap());
const custom = types.filter((type) => isScalarType(type) && !isSpecifiedScalarType(type));
// Points are whole numbers that JavaScript holds exactly; decimals, days and instants are strings.
const scalars = Object.fromEntries(custom.map(({ name }) => [name, name === "Points" ? "number" : "string"]));

/** Write `generated`. */
export const generateClient = () =>
  generate(
    {
      silent: true,
      schema,
      documents: `${here}/operations/*.graphql`,
      generates: {
        [`${here}/generated/`]: {
          preset: "client",
          presetConfig: { fragmentMasking: false },
          config: { scalars, strictScalars: true, useTypeImports: true, onlyOperationTypes: true, documentMode: "string", enumsAsTypes: true },
        },
      },
    },
    true,
  );
