import { setTimeout as sleep } from "node:timers/promises";

/** How often connections that have become idle are closed while draining. */
const SWEEP_MS = 50;

/** Where the process stands between SIGTERM and its end (§8). */
export class Drain {
  /** Readiness is gone, the listener is still open. */
  draining = false;
  /** The listener is closed; answers carry `Connection: close`. */
  closing = false;

  /**
   * Lets requests in flight be answered, then closes every connection.
   *
   * @param {import("node:http").Server} server
   * @param {Set<import("node:net").Socket>} connections open ones
   * @param {import("./config.js").Config} config
   * @returns {Promise<boolean>} false when the drain timeout passed first
   */
  async run(server, connections, { drainDelayMs, drainTimeoutMs }) {
    this.draining = true;
    if (drainDelayMs > 0) await sleep(drainDelayMs);
    this.closing = true;
    const closed = new Promise((resolve) => server.close(() => resolve(true)));
    const sweep = setInterval(() => closeIdle(server, connections), SWEEP_MS);
    closeIdle(server, connections);
    const late = sleep(drainTimeoutMs, false);
    const finished = await Promise.race([closed, late]);
    clearInterval(sweep);
    return finished;
  }
}

function closeIdle(server, connections) {
  server.closeIdleConnections();
  for (const connection of connections) {
    // Node does not count as idle a connection that has sent nothing yet.
    if (connection.bytesRead === 0) connection.destroy();
  }
}
