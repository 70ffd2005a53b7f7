import { logAlways } from "./log.js";

const LONGEST_MS = 2 ** 31 - 1;

/**
 * Lives until SIGTERM and does nothing (§11): what the hiccup meter sees of it,
 * the machine did.
 *
 * @param {import("pino").Logger} log
 */
export function runControl(log) {
  process.once("SIGTERM", () => process.exit(0));
  // Neither the meter nor a signal's handler keeps a process alive.
  setInterval(() => {}, LONGEST_MS);
  logAlways(log, {}, "control");
}
