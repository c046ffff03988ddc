// The client's types are those of the box's OpenAPI document; `npm run generate` makes them so.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { format, resolveConfig } from "prettier";

const TYPES = fileURLToPath(new URL("../src/api/schema.gen.ts", import.meta.url));
const [, , document = new URL("../../docs/openapi.json", import.meta.url).href] = process.argv;

const made = COMMENT_HEADER + astToString(await openapiTS(new URL(document)));
const config = await resolveConfig(TYPES);
const expected = await format(made, { ...config, filepath: TYPES });
if (expected !== (await readFile(TYPES, "utf8"))) {
  console.error("src/api/schema.gen.ts is not of docs/openapi.json: run `make api`.");
  process.exit(1);
}
console.log("client: its types are those of docs/openapi.json");
