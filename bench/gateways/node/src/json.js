import { isUtf8 } from "node:buffer";
import { Refusal } from "./refusal.js";

const MAX_DEPTH = 127;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Parses one JSON text in UTF-8.
 *
 * @param {Buffer} bytes
 * @returns {unknown}
 * @throws {Refusal} `invalid_json`
 */
export function parseJson(bytes) {
  if (!isUtf8(bytes)) {
    throw new Refusal("invalid_json", "The body is not UTF-8.");
  }
  if (isTooDeep(bytes)) {
    throw new Refusal(
      "invalid_json",
      `The body is nested deeper than ${MAX_DEPTH} levels.`,
    );
  }
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new Refusal("invalid_json", "The body is not one JSON text.");
  }
}

/**
 * Counts brackets outside of strings. Whether they match is left to JSON.parse().
 *
 * @param {Buffer} bytes
 * @returns {boolean}
 */
function isTooDeep(bytes) {
  if (bytes.length <= MAX_DEPTH) return false;
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case QUOTE:
        i = closingQuote(bytes, i + 1);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++depth > MAX_DEPTH) return true;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        break;
    }
  }
  return false;
}

function closingQuote(bytes, from) {
  let i = from;
  while (i < bytes.length && bytes[i] !== QUOTE) {
    i += bytes[i] === BACKSLASH ? 2 : 1;
  }
  return i;
}

/**
 * Adds a member to an object. A plain assignment to `__proto__` would replace
 * the object's prototype; in JSON it is a name like any other.
 *
 * @param {object} object
 * @param {string} name
 * @param {unknown} value
 */
export function setMember(object, name, value) {
  if (name === "__proto__") {
    Object.defineProperty(object, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else {
    object[name] = value;
  }
}

/**
 * @param {unknown} value
 * @returns {boolean} whether a JSON value is an object, not null and not an array
 */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
