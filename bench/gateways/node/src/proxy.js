import { readBody } from "./body.js";
import { originForm, splitProxyTarget } from "./endpoints.js";
import { endToEnd } from "./headers.js";
import { Refusal } from "./refusal.js";
import { formatSpan } from "./trace.js";
import { unreachable, Upstream } from "./upstream.js";

/** What the gateway sets itself on a request that it forwards. */
const REQUEST_FIELDS = [
  "host",
  "content-length",
  // The gateway has said 100 Continue itself, it holds the whole body.
  "expect",
  "x-forwarded-for",
  "traceparent",
];

/**
 * Makes the handler of `/proxy/{service}` and `/proxy/{service}/{rest}` (§8).
 *
 * @param {object} parts
 * @param {import("./config.js").Config} parts.config
 * @param {import("./table.js").Table} parts.table
 * @param {import("./tokens.js").Tokens} parts.tokens
 * @param {import("./drain.js").Drain} parts.drain
 */
export function createProxyHandler({ config, table, tokens, drain }) {
  const upstream = config.upstream === null ? null : new Upstream(config);

  return async function proxy(request, reply) {
    const target = originForm(request.originalUrl);
    const { service, rest } = splitProxyTarget(target);
    const access = table.services.get(service);
    if (access === undefined) {
      throw new Refusal("unknown_service", "The table names no such service.");
    }
    tokens.authorize(access, request.headers.authorization);
    const body = await readBody(
      request.raw,
      config.bodyLimit,
      config.readTimeoutMs,
    );
    if (upstream === null) throw unreachable("no upstream is configured");

    const answer = await upstream.send(
      request.method,
      `/${service}${rest}`,
      requestHeaders(request),
      body.length === 0 ? null : body,
    );
    const headers = answerHeaders(request, answer);
    if (drain.closing) headers.push("Connection", "close");
    // Written past Fastify, which would merge and reorder the header fields.
    reply.hijack();
    reply.raw.writeHead(answer.status, headers);
    reply.raw.end(answer.body);
  };
}

function requestHeaders(request) {
  const { raw, span } = request;
  const replaced = span.continued
    ? REQUEST_FIELDS
    : [...REQUEST_FIELDS, "tracestate"];
  const headers = endToEnd(raw.rawHeaders, replaced);
  const forwarded = raw.headers["x-forwarded-for"];
  const client = raw.socket.remoteAddress;
  headers.push(
    "X-Forwarded-For",
    forwarded === undefined ? client : `${forwarded}, ${client}`,
    "traceparent",
    formatSpan(span),
  );
  return headers;
}

function answerHeaders(request, { status, headers, body }) {
  // The length of an answer without body is that of the body it stands for.
  const bodiless = request.method === "HEAD" || status === 304;
  const replaced = bodiless
    ? ["traceresponse"]
    : ["traceresponse", "content-length"];
  const kept = endToEnd(headers, replaced);
  kept.push("traceresponse", formatSpan(request.span));
  if (!bodiless && status !== 204) {
    kept.push("Content-Length", String(body.length));
  }
  return kept;
}
