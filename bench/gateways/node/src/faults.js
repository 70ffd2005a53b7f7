import { monotonicNs, readClocks } from "./clock.js";
import {
  BLOCK,
  CLOCK,
  DROP,
  EXIT,
  GC,
  LEAK,
  UNSTOPPABLE,
} from "./endpoints.js";
import { Refusal } from "./refusal.js";

const MIB = 2 ** 20;
const LEAK_INTERVAL_MS = 50;
const LEAK_CHUNK_BYTES = 64 * 1024;
const NOT_APPLICABLE = '{"applicable":false}';

/**
 * The endpoints that break things on purpose, and those that tell what
 * happened (§9). They exist only with `ENABLE_FAULTS=1`.
 *
 * @type {[import("./endpoints.js").Endpoint, import("./server.js").Handler][]}
 */
export const FAULTS = [
  [BLOCK, block],
  [LEAK, leak],
  [EXIT, exit],
  [GC, collect],
  [UNSTOPPABLE, unstoppable],
  [DROP, drop],
  [CLOCK, clock],
];

/** There is one worker, so however many are asked for, one spins. */
function block(request) {
  const durationMs = decimal(request.query, "ms");
  integer(request.query, "workers", { fallback: 1, least: 1 });
  const interval = timed(() => {
    const end = monotonicNs() + BigInt(Math.round(durationMs * 1e6));
    while (monotonicNs() < end);
  });
  return `{"blocked":[${interval}]}`;
}

/** What leaks is on V8's heap, and full of doubles, so its pages are touched. */
function leak(request, reply) {
  const rate = decimal(request.query, "mib_per_s");
  const chunk = Array.from({ length: LEAK_CHUNK_BYTES / 8 }, () => 0.5);
  const retained = [];
  const start = performance.now();
  setInterval(() => {
    const seconds = (performance.now() - start) / 1000;
    const chunks = (seconds * rate * MIB) / LEAK_CHUNK_BYTES;
    while (retained.length + 1 <= chunks) retained.push(chunk.slice());
  }, LEAK_INTERVAL_MS);
  reply.code(202);
  return `{"leaking_mib_per_s":${rate}}`;
}

function exit(request) {
  process.exit(integer(request.query, "code", { most: 255 }));
}

function collect(request) {
  const count = integer(request.query, "n", {});
  if (globalThis.gc === undefined) {
    throw new Refusal("not_exposed", "Start Node with --expose-gc.");
  }
  const collections = Array.from({ length: count }, () => timed(globalThis.gc));
  return `{"applicable":true,"collections":[${collections}]}`;
}

/** No thread but the loop's own runs JavaScript on this heap, so none has to be stopped. */
function unstoppable(request) {
  decimal(request.query, "ms");
  return NOT_APPLICABLE;
}

/** What is dropped is the collector's to free. */
function drop(request) {
  integer(request.query, "mib", {});
  return NOT_APPLICABLE;
}

function clock() {
  const { monotonicNs, wallNs, uncertaintyNs } = readClocks();
  return `{"monotonic_ns":${monotonicNs},"wall_ns":${wallNs},"uncertainty_ns":${uncertaintyNs}}`;
}

function timed(work) {
  const start = monotonicNs();
  work();
  return `{"start_ns":${start},"end_ns":${monotonicNs()}}`;
}

function decimal(query, name) {
  return number(query[name], name, /^\d{1,9}(\.\d{1,9})?$/);
}

function integer(query, name, { fallback, least = 0, most = Infinity }) {
  if (query[name] === undefined && fallback !== undefined) return fallback;
  const value = number(query[name], name, /^\d{1,9}$/);
  if (value >= least && value <= most) return value;
  throw malformed(name);
}

/** A parameter that is missing is undefined; one that is repeated, an array. */
function number(text, name, form) {
  if (typeof text === "string" && form.test(text)) return Number(text);
  throw malformed(name);
}

function malformed(name) {
  return new Refusal(
    "invalid_request",
    `The parameter "${name}" is missing or malformed.`,
  );
}
