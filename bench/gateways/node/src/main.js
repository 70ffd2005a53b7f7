import { ConfigError, readConfig } from "./config.js";
import { Drain } from "./drain.js";
import { LiveSet } from "./live-set.js";
import { createLog, logListening } from "./log.js";
import { Metrics } from "./metrics.js";
import { createServer } from "./server.js";
import { loadTable } from "./table.js";
import { Tokens } from "./tokens.js";

const EXIT_CANNOT_LISTEN = 1;
const EXIT_DRAIN_TIMEOUT = 1;
const EXIT_BAD_CONFIG = 2;

const { config, table } = readSettings();
const log = createLog(config.logLevel);
const drain = new Drain();
const server = createServer({
  config,
  table,
  tokens: new Tokens(config),
  liveSet: new LiveSet(config.liveSetMib),
  metrics: new Metrics(),
  drain,
  log,
});
const connections = trackConnections(server.server);
process.once("SIGTERM", stop);
await listen();

function readSettings() {
  try {
    const config = readConfig(process.env);
    return { config, table: loadTable(config.routes) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    createLog("error").error({ variable: error.variable }, error.message);
    process.exit(EXIT_BAD_CONFIG);
  }
}

function trackConnections(httpServer) {
  const open = new Set();
  httpServer.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return open;
}

async function listen() {
  const { host, port } = config;
  try {
    await server.listen({ host, port });
  } catch (error) {
    const reason = error.code ?? error.message;
    log.error({ host, port }, `cannot listen on ${host}:${port}: ${reason}`);
    process.exit(EXIT_CANNOT_LISTEN);
  }
  const { port: bound } = server.server.address();
  logListening(log, { host, port: bound, pid: process.pid });
}

async function stop() {
  // A second SIGTERM changes nothing.
  process.on("SIGTERM", () => {});
  const finished = await drain.run(server.server, connections, config);
  process.exit(finished ? 0 : EXIT_DRAIN_TIMEOUT);
}
