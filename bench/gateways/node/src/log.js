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
 * Writes the line that says where the gateway listens, whatever the level.
 *
 * @param {pino.Logger} log
 * @param {{host: string, port: number, pid: number}} fields
 */
export function logListening(log, fields) {
  log.child({}, { level: "info" }).info(fields, "listening");
}
