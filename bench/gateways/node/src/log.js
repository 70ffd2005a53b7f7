import pino from "pino";

/**
 * Gives a log of JSON lines on standard output.
 *
 * Writes are synchronous, so a line is out before the process can end.
 *
 * @param {string} level debug, info, warn or error
 * @returns {pino.Logger}
 */
export function createLog(level) {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 1, sync: true }),
  );
}

/**
 * Writes a line of level info, whatever the level of the log.
 *
 * @param {pino.Logger} log
 * @param {object} fields
 * @param {string} message
 */
export function logAlways(log, fields, message) {
  log.child({}, { level: "info" }).info(fields, message);
}
