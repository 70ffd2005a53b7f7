import { readFileSync } from "node:fs";
import { createPublicKey } from "node:crypto";

/** A setting that is missing or malformed; the process ends with exit code 2. */
export class ConfigError extends Error {
  /**
   * @param {string} variable name of the environment variable
   * @param {string} reason what is wrong with it
   */
  constructor(variable, reason) {
    super(`${variable} ${reason}`);
    this.variable = variable;
  }
}

/** The longest delay that a Node timer takes. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * @typedef {object} MeterConfig
 * @property {string | null} metersDir folder for what the process records of itself
 * @property {number} hiccupUs period of the hiccup meter in µs, 0: none
 *
 * @typedef {object} GatewayConfig
 * @property {string} host address to bind
 * @property {number} port port to bind
 * @property {string} routes path of the routing table
 * @property {{origin: string, basePath: string} | null} upstream where `/proxy` forwards to
 * @property {boolean} upstreamPool whether upstream connections are kept
 * @property {number} upstreamPoolSize most upstream connections open at once while they are kept
 * @property {number} upstreamTimeoutMs from the first byte sent upstream to the last byte received
 * @property {Buffer | null} hs256Secret secret of HS256 tokens
 * @property {import("node:crypto").KeyObject | null} rs256PublicKey public key of RS256 tokens
 * @property {boolean} jwtCache whether verified tokens are cached
 * @property {number} liveSetMib nominal size of the retained live set
 * @property {number} bodyLimit largest request body in bytes
 * @property {number} readTimeoutMs longest time for a request's header, and for its body
 * @property {number} drainDelayMs how long the listener stays open after SIGTERM
 * @property {number} drainTimeoutMs how long requests in flight may take after that
 * @property {string} logLevel debug, info, warn or error
 * @property {boolean} faults whether `/__fault/*` and `/__truth/*` exist
 *
 * @typedef {GatewayConfig & MeterConfig} Config
 */

/**
 * Reads the settings of the contract (§1). An empty variable counts as unset.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Config}
 * @throws {ConfigError}
 */
export function readConfig(env) {
  integer(env, "GATEWAY_WORKERS", { fallback: 1, least: 1, most: 1 });
  return {
    host: env.GATEWAY_HOST || "127.0.0.1",
    port: integer(env, "GATEWAY_PORT", { most: 65535 }),
    routes: required(env, "GATEWAY_ROUTES"),
    upstream: upstream(env, "GATEWAY_UPSTREAM"),
    upstreamPool: onOff(env, "GATEWAY_UPSTREAM_POOL"),
    upstreamPoolSize: integer(env, "GATEWAY_UPSTREAM_POOL_SIZE", {
      fallback: 64,
      least: 1,
    }),
    upstreamTimeoutMs: milliseconds(env, "GATEWAY_UPSTREAM_TIMEOUT_MS", 2000),
    hs256Secret: secret(env, "GATEWAY_JWT_HS256_SECRET"),
    rs256PublicKey: publicKey(env, "GATEWAY_JWT_RS256_PUBLIC_KEY"),
    jwtCache: onOff(env, "GATEWAY_JWT_CACHE"),
    liveSetMib: integer(env, "GATEWAY_LIVE_SET_MIB", {
      fallback: 64,
      most: 2 ** 20,
    }),
    bodyLimit: integer(env, "GATEWAY_BODY_LIMIT", { fallback: 1048576 }),
    // The HTTP server is given twice this value, which has to fit too.
    readTimeoutMs: integer(env, "GATEWAY_READ_TIMEOUT_MS", {
      fallback: 5000,
      least: 1,
      most: Math.floor(LONGEST_MS / 2),
    }),
    drainDelayMs: milliseconds(env, "GATEWAY_DRAIN_DELAY_MS", 0, 0),
    drainTimeoutMs: milliseconds(env, "GATEWAY_DRAIN_TIMEOUT_MS", 10000, 0),
    logLevel: oneOf(env, "GATEWAY_LOG_LEVEL", LOG_LEVELS, "warn"),
    metersDir: env.GATEWAY_METERS_DIR || null,
    hiccupUs: integer(env, "GATEWAY_HICCUP_US", { fallback: 10_000 }),
    faults: env.ENABLE_FAULTS === "1",
  };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {boolean} whether the process is a control (§11)
 */
export function isControl(env) {
  return env.GATEWAY_CONTROL === "1";
}

/**
 * Reads the settings of a control: no other variable concerns it.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {MeterConfig}
 * @throws {ConfigError}
 */
export function readControlConfig(env) {
  return {
    metersDir: required(env, "GATEWAY_METERS_DIR"),
    hiccupUs: integer(env, "GATEWAY_HICCUP_US", { fallback: 10_000, least: 1 }),
  };
}

const LOG_LEVELS = ["debug", "info", "warn", "error"];

function required(env, variable) {
  if (!env[variable]) throw new ConfigError(variable, "is required");
  return env[variable];
}

function integer(env, variable, { fallback, least = 0, most = 2 ** 31 - 1 }) {
  if (!env[variable] && fallback !== undefined) return fallback;
  const text = required(env, variable);
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    const range = least === most ? `${least}` : `from ${least} to ${most}`;
    throw new ConfigError(variable, `must be ${range}, is "${text}"`);
  }
  return value;
}

function milliseconds(env, variable, fallback, least = 1) {
  return integer(env, variable, { fallback, least, most: LONGEST_MS });
}

function oneOf(env, variable, allowed, fallback) {
  const value = env[variable] || fallback;
  if (!allowed.includes(value)) {
    throw new ConfigError(
      variable,
      `must be one of ${allowed.join(", ")}, is "${value}"`,
    );
  }
  return value;
}

function onOff(env, variable) {
  return oneOf(env, variable, ["on", "off"], "on") === "on";
}

function upstream(env, variable) {
  const text = env[variable];
  if (!text) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== "http:" || url.search || url.hash || url.username) {
    throw new ConfigError(variable, `must be an http:// URL, is "${text}"`);
  }
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, "") };
}

function secret(env, variable) {
  const text = env[variable];
  if (!text) return null;
  const bytes = Buffer.from(text, "base64url");
  if (bytes.toString("base64url") !== text.replace(/=+$/, "")) {
    throw new ConfigError(variable, "must be base64url");
  }
  return bytes;
}

function publicKey(env, variable) {
  const path = env[variable];
  if (!path) return null;
  const pem = readSetting(variable, path);
  // createPublicKey() would take a private key or a certificate as well.
  if (!pem.includes("-----BEGIN PUBLIC KEY-----")) {
    throw new ConfigError(variable, `must name a PEM public key: ${path}`);
  }
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === "rsa") return key;
  } catch (error) {
    throw new ConfigError(variable, `is not readable: ${error.message}`);
  }
  throw new ConfigError(variable, `must name an RSA key: ${path}`);
}

/**
 * Reads the file that a variable names.
 *
 * @param {string} variable
 * @param {string} path
 * @returns {string}
 * @throws {ConfigError}
 */
export function readSetting(variable, path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(variable, `is not readable: ${error.message}`);
  }
}
