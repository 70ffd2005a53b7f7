import { ConfigError, readSetting } from "./config.js";
import { isObject } from "./json.js";
import { Matcher, placeholderNames } from "./matching.js";
import { compileRewrite, compileTransform } from "./transform.js";

/**
 * @typedef {object} Access
 * @property {boolean} jwt whether a token is required
 * @property {string | null} scope a name that has to be among the token's scopes
 *
 * @typedef {object} Route
 * @property {string} id
 * @property {string} service
 * @property {Access} access
 * @property {string[]} names of the pattern's placeholders, in the order of captures
 * @property {(captures: (string | string[])[]) => string} rewrite
 * @property {(payload: object) => object} transform
 *
 * @typedef {object} Table
 * @property {Map<string, Access>} services
 * @property {Matcher<Route>} matcher
 */

const VARIABLE = "GATEWAY_ROUTES";

/**
 * Reads and prepares the routing table (§4).
 *
 * @param {string} path
 * @returns {Table}
 * @throws {ConfigError}
 */
export function loadTable(path) {
  const text = readSetting(VARIABLE, path);
  try {
    const table = JSON.parse(text);
    const services = new Map();
    for (const [name, service] of Object.entries(table.services)) {
      services.set(name, readAccess(service));
    }
    const matcher = new Matcher();
    for (const route of table.routes) {
      matcher.add(route.method, route.pattern, readRoute(route, services));
    }
    return { services, matcher };
  } catch (error) {
    throw new ConfigError(VARIABLE, `${path}: ${error.message}`);
  }
}

function readRoute(route, services) {
  const { id, pattern, service, rewrite, transform } = route;
  require(services.has(service), `route ${id}: unknown service ${service}`);
  require(pattern.startsWith("/"), `route ${id}: pattern lacks its "/"`);
  require(isObject(transform), `route ${id}: transform is missing`);
  return {
    id,
    service,
    access: readAccess(route),
    names: placeholderNames(pattern),
    rewrite: compileRewrite(pattern, rewrite),
    transform: compileTransform(transform),
  };
}

function readAccess({ auth, scope }) {
  require(auth === "none" || auth === "jwt", `unknown auth ${auth}`);
  return { jwt: auth === "jwt", scope };
}

function require(holds, message) {
  if (!holds) throw new Error(message);
}
