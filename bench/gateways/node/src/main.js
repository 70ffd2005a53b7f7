import {
  ConfigError,
  isControl,
  readConfig,
  readControlConfig,
} from "./config.js";
import { runControl } from "./control.js";
import { Drain } from "./drain.js";
import { startHiccupMeter } from "./hiccups.js";
import { LiveSet } from "./live-set.js";
import { createLog, logAlways } from "./log.js";
import { Metrics } from "./metrics.js";
import { createServer } from "./server.js";
import { loadTable } from "./table.js";
import { Tokens } from "./tokens.js";

const EXIT_CANNOT_LISTEN = 1;
const EXIT_DRAIN_TIMEOUT = 1;
const EXIT_BAD_CONFIG = 2;

if (isControl(process.env)) {
  const log = createLog("error");
  orBadConfig(() => meterHiccups(readControlConfig(process.env), log));
  runControl(log);
} else {
  await serve();
}

async function serve() {
  const { config, table } = orBadConfig(() => {
    const config = readConfig(process.env);
    return { config, table: loadTable(config.routes) };
  });
  const log = createLog(config.logLevel);
  orBadConfig(() => meterHiccups(config, log));
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
  process.once("SIGTERM", async () => {
    // A second SIGTERM changes nothing.
    process.on("SIGTERM", () => {});
    const finished = await drain.run(server.server, connections, config);
    process.exit(finished ? 0 : EXIT_DRAIN_TIMEOUT);
  });
  await listen(server, config, log);
}

/** Ends the process when a setting is missing or malformed. */
function orBadConfig(read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    createLog("error").error({ variable: error.variable }, error.message);
    process.exit(EXIT_BAD_CONFIG);
  }
}

function meterHiccups(config, log) {
  startHiccupMeter(config, (error) => {
    log.error(`the hiccup meter cannot write and has ended: ${error.message}`);
  });
}

function trackConnections(httpServer) {
  const open = new Set();
  httpServer.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  return open;
}

async function listen(server, { host, port }, log) {
  try {
    await server.listen({ host, port });
  } catch (error) {
    const reason = error.code ?? error.message;
    log.error({ host, port }, `cannot listen on ${host}:${port}: ${reason}`);
    process.exit(EXIT_CANNOT_LISTEN);
  }
  const { port: bound } = server.server.address();
  logAlways(log, { host, port: bound, pid: process.pid }, "listening");
}
