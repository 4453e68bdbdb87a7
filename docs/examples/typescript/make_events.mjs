// Writes events.ts from the published JSON Schemas: node make_events.mjs [SCHEMAS]
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "json-schema-to-typescript";

const folder = process.argv[2] ?? "../../../shared/order_events/schemas";
const definitions = {};
const events = [];
for (const file of readdirSync(folder).sort()) {
  if (!/^(order|reconciler)\./.test(file) || /\.v\d+\.json$/.test(file)) continue; // earlier versions are for old streams
  const schema = JSON.parse(readFileSync(join(folder, file), "utf8"));
  Object.assign(definitions, schema.$defs);
  events.push({ $ref: schema.$ref });
}
for (const definition of Object.values(definitions)) {
  delete definition.title;
  if (definition.properties?.event_type?.enum) definition.required.push("event_type");
  for (const field of Object.values(definition.properties ?? {})) delete field.title;
}
const root = { $defs: definitions, oneOf: events };
const banner = "// Made from shared/order_events/schemas by make_events.mjs; change nothing here by hand.";
// a reader must accept fields that it does not know
const text = await compile(root, "FillproofEvent", { bannerComment: banner, additionalProperties: false });
writeFileSync("events.ts", text);
