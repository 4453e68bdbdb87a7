// Books every fill of an account exactly once: node built/engine.js nats://127.0.0.1:4222 rYourAccount fills.jsonl
//
// The books are lines of JSON. A line is on the disk before its event is acknowledged, and an event whose id is in the
// books is not booked again; what a crash has left of a line is cut off at the start.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { FillproofEvent } from "./events.js";

const KNOWN_VERSIONS: Record<string, number> = { "order.filled": 1 };
const DOMAIN = "fillproof";

const [url = "", account = "", path = ""] = process.argv.slice(2);
const booked = idsIn(path);
const books = openSync(path, "a");
const address = new URL(url);
const name = address.username || "engine";
const bus = await connect({
  servers: address.host,
  maxReconnectAttempts: -1,
  ...(address.username ? { user: address.username, pass: decodeURIComponent(address.password) } : {}),
});
const durable = `${name}-${account}`;
const manager = await jetstreamManager(bus, { domain: DOMAIN, checkAPI: false });
try {
  await manager.consumers.info("ORDERS", durable);
} catch { // a bus without users lets the engine make its own
  await manager.consumers.add("ORDERS", {
    durable_name: durable,
    filter_subject: `*.*.${account}`,
    deliver_policy: DeliverPolicy.All,
    ack_policy: AckPolicy.Explicit,
    ack_wait: 5_000_000_000,
  });
}
const consumer = await jetstream(bus, { domain: DOMAIN, checkAPI: false }).consumers.get("ORDERS", durable);
for await (const message of await consumer.consume()) {
  book(message.json<FillproofEvent>());
  message.ack();
}

// Write down a trade: amounts stay the decimals in strings that they are, drops of XRP or decimal tokens.
function book(event: FillproofEvent): void {
  if (event.event_type !== "order.filled" || event.provenance === "presumed") return;
  if (event.version !== KNOWN_VERSIONS[event.event_type]) {
    throw new Error(`expected version 1 of order.filled, found ${event.version}: update this engine first`);
  }
  if (booked.has(event.event_id)) return;
  const { event_id, sequence, gave, got, transaction_hash } = event;
  writeSync(books, JSON.stringify({ event_id, sequence, gave, got, transaction_hash }) + "\n");
  fsyncSync(books);
  booked.add(event_id);
}

// Return the ids in the books, after cutting off what is no whole line.
function idsIn(file: string): Set<string> {
  if (!existsSync(file)) closeSync(openSync(file, "a"));
  const text = readFileSync(file, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  truncateSync(file, Buffer.byteLength(whole));
  return new Set(whole.split("\n").filter(Boolean).map((line) => JSON.parse(line).event_id as string));
}
