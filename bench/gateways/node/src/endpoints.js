const READ = ["GET", "HEAD"];
const PROXY_PREFIX = "/proxy/";

/** Every other method is answered 501, on any path. */
export const KNOWN_METHODS = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
]);

/**
 * @typedef {object} Endpoint
 * @property {string} path as registered with Fastify
 * @property {string} label value of the metrics' `endpoint`
 * @property {string[]} methods what it is allowed for
 */

/** @returns {Endpoint} */
function endpoint(path, methods, label = path) {
  return { path, label, methods };
}

export const ROUTE = endpoint("/route", ["POST"]);
export const PROXY = endpoint(
  `${PROXY_PREFIX}*`,
  ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
  "/proxy",
);
export const HEALTHZ = endpoint("/healthz", READ);
export const READYZ = endpoint("/readyz", READ);
export const INFO = endpoint("/info", READ);
export const METRICS = endpoint("/metrics", READ);

export const BLOCK = endpoint("/__fault/block", ["POST"], "other");
export const LEAK = endpoint("/__fault/leak", ["POST"], "other");
export const EXIT = endpoint("/__fault/exit", ["POST"], "other");
export const GC = endpoint("/__truth/gc", ["POST"], "other");
export const UNSTOPPABLE = endpoint("/__truth/unstoppable", ["POST"], "other");
export const DROP = endpoint("/__truth/drop", ["POST"], "other");
export const CLOCK = endpoint("/__truth/clock", READ, "other");

const ALWAYS = [ROUTE, HEALTHZ, READYZ, INFO, METRICS];
const WITH_FAULTS = [BLOCK, LEAK, EXIT, GC, UNSTOPPABLE, DROP, CLOCK];

/** Finds the endpoint of a request target, which is compared as it was sent. */
export class Endpoints {
  /** @type {Map<string, Endpoint>} */
  #byPath;

  /** @param {boolean} faults whether `/__fault/*` and `/__truth/*` exist */
  constructor(faults) {
    const all = faults ? [...ALWAYS, ...WITH_FAULTS] : ALWAYS;
    this.#byPath = new Map(all.map((each) => [each.path, each]));
  }

  /**
   * @param {string} target in origin form
   * @returns {Endpoint | undefined}
   */
  find(target) {
    if (target.startsWith(PROXY_PREFIX)) return PROXY;
    const query = target.indexOf("?");
    return this.#byPath.get(query === -1 ? target : target.slice(0, query));
  }
}

/**
 * @param {string} target
 * @returns {string} the target without the scheme and authority that it may
 *   begin with (RFC 9112 §3.2.2)
 */
export function originForm(target) {
  if (target.startsWith("/")) return target;
  return target.replace(/^http:\/\/[^/?#]*/i, "").replace(/^(?!\/)/, "/");
}

/**
 * Takes a target of `/proxy` apart.
 *
 * @param {string} target in origin form
 * @returns {{service: string, rest: string}} rest begins with `/` or `?`, or is empty
 */
export function splitProxyTarget(target) {
  let end = PROXY_PREFIX.length;
  while (end < target.length && target[end] !== "/" && target[end] !== "?") {
    end++;
  }
  return {
    service: target.slice(PROXY_PREFIX.length, end),
    rest: target.slice(end),
  };
}
