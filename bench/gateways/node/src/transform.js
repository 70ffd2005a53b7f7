import { setMember } from "./json.js";
import { placeholderNames } from "./matching.js";
import { Refusal } from "./refusal.js";

/**
 * @typedef {object} Transform what a route does to the members of a payload
 * @property {string[]} remove names that are dropped
 * @property {Record<string, string>} rename old name to new name
 * @property {Record<string, unknown>} set members that are added
 */

/**
 * Prepares a transform. Where names collide: set over renamed over original.
 *
 * @param {Transform} transform
 * @returns {(payload: object) => object}
 */
export function compileTransform({ remove, rename, set }) {
  const renames = Object.entries(rename);
  const additions = Object.entries(set);
  const moved = new Set([...remove, ...renames.map(([from]) => from)]);
  const dropped = new Set(remove);
  if (moved.size === 0 && additions.length === 0) return (payload) => payload;

  return (payload) => {
    const result = {};
    for (const name of Object.keys(payload)) {
      if (!moved.has(name)) setMember(result, name, payload[name]);
    }
    for (const [from, to] of renames) {
      if (!dropped.has(from) && Object.hasOwn(payload, from)) {
        setMember(result, to, payload[from]);
      }
    }
    for (const [name, value] of additions) setMember(result, name, value);
    return result;
  };
}

/**
 * Prepares a rewrite.
 *
 * @param {string} pattern of the route
 * @param {string} rewrite with the placeholders of the pattern
 * @returns {(captures: (string | string[])[]) => string} from captures to the
 *   upstream path, without query
 */
export function compileRewrite(pattern, rewrite) {
  const names = placeholderNames(pattern);
  // "/a/{b}/c" gives the literals "/a/" and "/c", and between them the name "b".
  const parts = rewrite.split(/\{([^{}]+?)(?:\.\.\.)?\}/);
  const first = parts[0];
  /** @type {{index: number, literal: string}[]} */
  const steps = [];
  for (let i = 1; i < parts.length; i += 2) {
    const index = names.indexOf(parts[i]);
    if (index === -1) throw new Error(`{${parts[i]}} is not in ${pattern}`);
    steps.push({ index, literal: parts[i + 1] });
  }
  return (captures) => {
    let path = first;
    for (const { index, literal } of steps) {
      path += encodeCapture(captures[index]) + literal;
    }
    return path;
  };
}

function encodeCapture(capture) {
  return typeof capture === "string"
    ? encode(capture)
    : capture.map(encode).join("/");
}

/** Percent-encodes all but the unreserved characters (RFC 3986 §2.3). */
function encode(text) {
  if (isUnreserved(text)) return text;
  try {
    return encodeURIComponent(text).replace(SPARED, escape);
  } catch {
    // A half of a surrogate pair has no UTF-8.
    throw new Refusal("invalid_request", "The path is not Unicode text.");
  }
}

/** What encodeURIComponent() leaves although it is reserved. */
const SPARED = /[!'()*]/g;

function escape(character) {
  return "%" + character.charCodeAt(0).toString(16).toUpperCase();
}

const UNRESERVED = new Uint8Array(128);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
  UNRESERVED[character.charCodeAt(0)] = 1;
}

function isUnreserved(text) {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 128 || UNRESERVED[code] === 0) return false;
  }
  return true;
}
