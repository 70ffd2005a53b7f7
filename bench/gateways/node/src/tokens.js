import { createHmac, timingSafeEqual, verify } from "node:crypto";
import { isUtf8 } from "node:buffer";
import { LRUCache } from "lru-cache";
import { isObject } from "./json.js";
import { Refusal } from "./refusal.js";

const CACHE_SIZE = 10_000;

/**
 * @typedef {object} Claims of a token whose signature held
 * @property {number} exp
 * @property {number} nbf -Infinity when the token has none
 * @property {string | null} sub
 * @property {Set<string>} scopes
 */

/** Verifies bearer tokens (§6). */
export class Tokens {
  #secret;
  #publicKey;
  /** @type {LRUCache<string, Claims> | null} */
  #cache;

  /** @param {import("./config.js").Config} config */
  constructor({ hs256Secret, rs256PublicKey, jwtCache }) {
    this.#secret = hs256Secret;
    this.#publicKey = rs256PublicKey;
    this.#cache = jwtCache ? new LRUCache({ max: CACHE_SIZE }) : null;
  }

  /**
   * Checks what a route or service requires of a request's token.
   *
   * @param {import("./table.js").Access} access
   * @param {string | undefined} authorization header
   * @returns {string | null} the token's subject
   * @throws {Refusal}
   */
  authorize(access, authorization) {
    if (!access.jwt) return null;
    const claims = this.#verify(bearerToken(authorization));
    if (access.scope !== null && !claims.scopes.has(access.scope)) {
      throw new Refusal(
        "insufficient_scope",
        `The token lacks the scope ${access.scope}.`,
      );
    }
    return claims.sub;
  }

  /**
   * @param {string} token
   * @returns {Claims}
   */
  #verify(token) {
    let claims = this.#cache?.get(token);
    if (claims !== undefined) {
      checkTimes(claims);
      return claims;
    }
    claims = this.#read(token);
    checkTimes(claims);
    this.#cache?.set(token, claims);
    return claims;
  }

  #read(token) {
    const parts = token.split(".");
    if (parts.length !== 3) throw invalid("The token has not three parts.");
    const [header, payload, signature] = parts.map(decodeBase64Url);
    const signed = token.slice(0, token.lastIndexOf("."));
    if (!this.#signatureHolds(parsePart(header).alg, signed, signature)) {
      throw invalid("The token's signature does not hold.");
    }
    return readClaims(parsePart(payload));
  }

  #signatureHolds(algorithm, signed, signature) {
    if (algorithm === "HS256" && this.#secret !== null) {
      const mac = createHmac("sha256", this.#secret).update(signed).digest();
      return mac.length === signature.length && timingSafeEqual(mac, signature);
    }
    if (algorithm === "RS256" && this.#publicKey !== null) {
      return verify(
        "sha256",
        Buffer.from(signed, "latin1"),
        this.#publicKey,
        signature,
      );
    }
    throw invalid("The token's algorithm is not accepted.");
  }
}

function bearerToken(authorization) {
  if (authorization?.slice(0, 7).toLowerCase() === "bearer ") {
    const token = authorization.slice(7).trim();
    if (token !== "") return token;
  }
  throw new Refusal("missing_token", "A bearer token is required.");
}

/** Decodes strictly: a token has one spelling. */
function decodeBase64Url(part) {
  const bytes = Buffer.from(part, "base64url");
  if (bytes.toString("base64url") !== part) {
    throw invalid("A part of the token is not base64url.");
  }
  return bytes;
}

function parsePart(bytes) {
  let part;
  try {
    part = isUtf8(bytes) ? JSON.parse(bytes.toString("utf8")) : null;
  } catch {
    part = null;
  }
  if (!isObject(part)) throw invalid("A part of the token is not an object.");
  return part;
}

function readClaims({ exp, nbf, sub, scope }) {
  if (typeof exp !== "number") throw invalid("The token has no exp.");
  if (nbf !== undefined && typeof nbf !== "number") {
    throw invalid("The token's nbf is not a number.");
  }
  if (sub !== undefined && typeof sub !== "string") {
    throw invalid("The token's sub is not a string.");
  }
  if (scope !== undefined && typeof scope !== "string") {
    throw invalid("The token's scope is not a string.");
  }
  return {
    exp,
    nbf: nbf ?? -Infinity,
    sub: sub ?? null,
    scopes: new Set(scope?.split(" ")),
  };
}

function checkTimes({ exp, nbf }) {
  const now = Date.now() / 1000;
  if (exp <= now) throw new Refusal("expired_token", "The token has expired.");
  if (nbf > now) throw invalid("The token is not valid yet.");
}

function invalid(message) {
  return new Refusal("invalid_token", message);
}
