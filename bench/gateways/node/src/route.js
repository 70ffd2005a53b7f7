import { readBody } from "./body.js";
import { isObject, parseJson } from "./json.js";
import { splitPath } from "./matching.js";
import { Refusal } from "./refusal.js";

const METHODS = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

/**
 * @typedef {object} RouteRequest
 * @property {string} path without query
 * @property {string} query from the first `?` on, or empty
 * @property {string} method
 * @property {object | null} payload
 */

/**
 * Makes the handler of `POST /route`: parse, match, transform, answer (§3).
 *
 * @param {object} parts
 * @param {import("./config.js").Config} parts.config
 * @param {import("./table.js").Table} parts.table
 * @param {import("./tokens.js").Tokens} parts.tokens
 * @param {import("./live-set.js").LiveSet} parts.liveSet
 */
export function createRouteHandler({ config, table, tokens, liveSet }) {
  return async function route(request) {
    requireJson(request.headers["content-type"]);
    const body = await readBody(
      request.raw,
      config.bodyLimit,
      config.readTimeoutMs,
    );
    const asked = readRequest(parseJson(body));
    const found = table.matcher.find(asked.method, splitPath(asked.path));
    if (found === null) throw new Refusal("no_route", "No route matches.");

    const { value, captures } = found;
    const subject = tokens.authorize(
      value.access,
      request.headers.authorization,
    );
    const answer = JSON.stringify({
      route: value.id,
      service: value.service,
      upstream_path: value.rewrite(captures) + asked.query,
      params: nameCaptures(value.names, captures),
      subject,
      payload: asked.payload === null ? null : value.transform(asked.payload),
    });
    liveSet.replaceOne();
    return answer;
  };
}

function requireJson(contentType) {
  const end = contentType?.indexOf(";") ?? -1;
  const type = end === -1 ? contentType : contentType.slice(0, end);
  if (type?.trim().toLowerCase() !== "application/json") {
    throw new Refusal(
      "unsupported_media_type",
      "The Content-Type must be application/json.",
    );
  }
}

/**
 * @param {unknown} body
 * @returns {RouteRequest}
 * @throws {Refusal} `invalid_request`
 */
function readRequest(body) {
  if (!isObject(body)) throw invalid("The body must be an object.");
  const { path, method = "GET", payload = null } = body;
  if (typeof path !== "string" || !path.startsWith("/")) {
    throw invalid('"path" must be a string that begins with "/".');
  }
  if (!METHODS.has(method)) {
    throw invalid('"method" must be GET, POST, PUT, PATCH or DELETE.');
  }
  if (payload !== null && !isObject(payload)) {
    throw invalid('"payload" must be an object or null.');
  }
  const query = path.indexOf("?");
  return query === -1
    ? { path, query: "", method, payload }
    : { path: path.slice(0, query), query: path.slice(query), method, payload };
}

function nameCaptures(names, captures) {
  const params = {};
  for (let i = 0; i < names.length; i++) {
    const capture = captures[i];
    params[names[i]] =
      typeof capture === "string" ? capture : capture.join("/");
  }
  return params;
}

function invalid(message) {
  return new Refusal("invalid_request", message);
}
