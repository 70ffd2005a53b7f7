import Fastify from "fastify";
import {
  Endpoints,
  HEALTHZ,
  INFO,
  KNOWN_METHODS,
  METRICS,
  originForm,
  PROXY,
  READYZ,
  ROUTE,
} from "./endpoints.js";
import { FAULTS } from "./faults.js";
import { readInfo } from "./info.js";
import { Malformed, unknownMethodRefusal } from "./malformed.js";
import { createProxyHandler } from "./proxy.js";
import { Refusal } from "./refusal.js";
import { createRouteHandler } from "./route.js";
import { formatSpan, startSpan } from "./trace.js";

const MAX_HEADER_BYTES = 64 * 1024;
const JSON_TYPE = "application/json";

/**
 * @typedef {(request: import("fastify").FastifyRequest,
 *   reply: import("fastify").FastifyReply) => string | Promise<string>} Handler
 *
 * @typedef {object} Parts what a gateway is put together from
 * @property {import("./config.js").Config} config
 * @property {import("./table.js").Table} table
 * @property {import("./tokens.js").Tokens} tokens
 * @property {import("./live-set.js").LiveSet} liveSet
 * @property {import("./metrics.js").Metrics} metrics
 * @property {import("./drain.js").Drain} drain
 * @property {import("pino").Logger} log
 */

/**
 * Builds the server; it does not listen yet.
 *
 * @param {Parts} parts
 * @returns {import("fastify").FastifyInstance}
 */
export function createServer(parts) {
  const { config, metrics } = parts;
  const endpoints = new Endpoints(config.faults);
  const malformed = new Malformed(metrics, endpoints);
  const server = Fastify({
    http: httpOptions(config),
    requestTimeout: 2 * config.readTimeoutMs,
    clientErrorHandler: (error, socket) => malformed.answer(error, socket),
    // Fastify would decode a target before routing it, and refuse a bad escape.
    // Here it is compared as it was sent, and only endpoints are routed.
    rewriteUrl(request) {
      const target = originForm(request.url);
      const endpoint = endpoints.find(target);
      if (endpoint === undefined) return "/";
      return endpoint === PROXY ? PROXY.path : target;
    },
  });
  // An idle connection stays open for as long as the client likes.
  server.server.keepAliveTimeout = 0;
  // Header fields are limited by their bytes, not by their number.
  server.server.maxHeadersCount = 0;
  server.server.on("connect", (request, socket) => {
    // Node hands over the bare connection, and with it the duty to watch it.
    socket.on("error", () => socket.destroy());
    malformed.refuseMethod(socket, "other");
  });
  // Handlers read bodies themselves: the order of checks is theirs.
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    server.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  }
  observeRequests(server, endpoints, malformed, parts);
  refuseStrays(server, endpoints);
  answerErrors(server, parts);
  addEndpoints(server, parts);
  return server;
}

function httpOptions({ readTimeoutMs }) {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: readTimeoutMs,
    // A backstop: header and body have their own deadlines.
    requestTimeout: 2 * readTimeoutMs,
    connectionsCheckingInterval: Math.ceil(readTimeoutMs / 4),
  };
}

/** Gives each request its span, counts it when it is answered, and logs it. */
function observeRequests(server, endpoints, malformed, { metrics, log }) {
  const logsRequests = log.isLevelEnabled("info");
  server.decorateRequest("span", null);
  server.decorateRequest("startedAt", 0);

  server.addHook("onRequest", (request, reply, done) => {
    request.startedAt = performance.now();
    request.span = startSpan(request.headers.traceparent);
    // Before anything else: Fastify has ideas of its own about some methods.
    done(refusalOf(request.raw));
  });
  server.addHook("onResponse", (request, reply, done) => {
    const durationMs = performance.now() - request.startedAt;
    const status = reply.raw.statusCode;
    const target = originForm(request.originalUrl);
    metrics.observe(
      endpoints.find(target)?.label ?? "other",
      status,
      durationMs,
    );
    if (logsRequests) logRequest(log, request, target, status, durationMs);
    if (!request.raw.complete) malformed.answeredEarly(request.raw.socket);
    done();
  });
}

/** Refuses what Node's parser lets through and the contract does not. */
function refusalOf({ method, httpVersionMajor }) {
  if (!KNOWN_METHODS.has(method)) return unknownMethodRefusal();
  if (httpVersionMajor !== 1) {
    const message = "Only HTTP/1.1 and HTTP/1.0 are spoken.";
    return new Refusal("invalid_request", message, { connection: "close" });
  }
  return undefined;
}

function logRequest(log, request, target, status, durationMs) {
  log.info(
    {
      method: request.method,
      path: target.split("?", 1)[0],
      status,
      duration_us: Math.round(durationMs * 1000),
      trace_id: request.span.traceId,
      span_id: request.span.spanId,
    },
    "request",
  );
}

/** Refuses what no endpoint answers. */
function refuseStrays(server, endpoints) {
  server.setNotFoundHandler((request) => {
    const endpoint = endpoints.find(originForm(request.originalUrl));
    if (endpoint === undefined) {
      throw new Refusal("not_found", "There is no such endpoint.");
    }
    throw new Refusal(
      "method_not_allowed",
      `${endpoint.label} does not allow ${request.method}.`,
      { allow: endpoint.methods.join(", ") },
    );
  });
}

function answerErrors(server, { drain, log }) {
  server.addHook("onSend", (request, reply, payload, done) => {
    reply.header("traceresponse", formatSpan(request.span));
    if (drain.closing) reply.header("connection", "close");
    done(null, payload);
  });
  server.setErrorHandler((error, request, reply) => {
    const refusal = error instanceof Refusal ? error : unexpected(error, log);
    reply
      .code(refusal.statusCode)
      .headers(refusal.headers ?? {})
      .type(JSON_TYPE)
      .send(refusal.toText());
  });
}

function unexpected(error, log) {
  log.error({ stack: error.stack }, error.message);
  return new Refusal("internal_error", "The gateway failed.");
}

function addEndpoints(server, parts) {
  const { config, liveSet, metrics, drain } = parts;
  add(server, ROUTE, createRouteHandler(parts));
  add(server, PROXY, createProxyHandler(parts));
  add(server, HEALTHZ, () => '{"status":"ok"}');
  add(server, READYZ, () => {
    if (drain.draining) throw new Refusal("draining", "Shutting down.");
    return '{"status":"ready"}';
  });
  add(server, INFO, () => JSON.stringify(readInfo(config, liveSet)));
  add(server, METRICS, (request, reply) => {
    reply.type(metrics.contentType);
    return metrics.toText();
  });
  if (config.faults) {
    for (const [endpoint, handler] of FAULTS) add(server, endpoint, handler);
  }
}

/** Registers a handler, whose text is sent as JSON unless it says otherwise. */
function add(server, endpoint, handler) {
  server.route({
    method: endpoint.methods,
    url: endpoint.path,
    async handler(request, reply) {
      reply.type(JSON_TYPE);
      return handler(request, reply);
    },
  });
}
