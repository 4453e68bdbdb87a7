// Reads an AsyncAPI document from standard input and writes what the parser says of it, as JSON.
const fs = require("fs");
const { Parser } = require("@asyncapi/parser");

async function main() {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(0, "utf8"));
  const problems = diagnostics.map(({ severity, code, path, message }) => ({ severity, code, path, message }));
  const channels = document ? document.channels().all().map((channel) => channel.address()) : [];
  process.stdout.write(JSON.stringify({ valid: Boolean(document), channels, problems }));
}

main();
