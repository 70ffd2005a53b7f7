import { Refusal } from "./refusal.js";

/**
 * A routing table as a tree of segments. At each segment literal comes before
 * `{name}` before `{name...}`, with backtracking.
 *
 * @typedef {object} Node
 * @property {Map<string, Node>} literals
 * @property {Node | null} parameter
 * @property {Map<string, T>} rest values of patterns that end here in `{name...}`, by method
 * @property {Map<string, T>} leaves values of patterns that end here, by method
 * @template T
 */

/** @template T */
export class Matcher {
  /** @type {Node<T>} */
  #root = createNode();

  /**
   * Adds a pattern. Of equal patterns with equal methods the first one counts.
   *
   * @param {string} method
   * @param {string} pattern
   * @param {T} value
   */
  add(method, pattern, value) {
    let node = this.#root;
    for (const segment of pattern.slice(1).split("/")) {
      if (isRest(segment)) {
        addFirst(node.rest, method, value);
        return;
      }
      if (isParameter(segment)) node = node.parameter ??= createNode();
      else node = child(node.literals, segment);
    }
    addFirst(node.leaves, method, value);
  }

  /**
   * Finds the first complete match whose method is the request's.
   *
   * @param {string} method
   * @param {string[]} segments decoded
   * @returns {{value: T, captures: (string | string[])[]} | null} captures in
   *   the order of the pattern's placeholders; that of `{name...}` is an array
   */
  find(method, segments) {
    /** @type {(string | string[])[]} */
    const captures = [];
    const value = search(this.#root, method, segments, 0, captures);
    return value === undefined ? null : { value, captures };
  }
}

function search(node, method, segments, index, captures) {
  if (index === segments.length) return node.leaves.get(method);
  const segment = segments[index];
  // An empty segment matches neither a literal nor {name}.
  if (segment !== "") {
    const literal = node.literals.get(segment);
    if (literal !== undefined) {
      const found = search(literal, method, segments, index + 1, captures);
      if (found !== undefined) return found;
    }
    if (node.parameter !== null) {
      captures.push(segment);
      const parameter = node.parameter;
      const found = search(parameter, method, segments, index + 1, captures);
      if (found !== undefined) return found;
      captures.pop();
    }
  }
  const rest = node.rest.get(method);
  if (rest !== undefined) captures.push(segments.slice(index));
  return rest;
}

/**
 * Splits a path, without its query, into decoded segments.
 *
 * @param {string} path begins with `/`
 * @returns {string[]}
 * @throws {Refusal} `invalid_request`
 */
export function splitPath(path) {
  const segments = path.slice(1).split("/");
  for (let i = 0; i < segments.length; i++) {
    let segment = segments[i];
    if (segment.includes("%")) segment = segments[i] = decode(segment);
    if (segment === "." || segment === "..") {
      throw new Refusal("invalid_request", "The path has a dot segment.");
    }
  }
  return segments;
}

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Refusal("invalid_request", "The path has a bad escape.");
  }
}

/**
 * @param {string} pattern
 * @returns {string[]} names of its placeholders, in order
 */
export function placeholderNames(pattern) {
  return pattern
    .split("/")
    .filter(isParameter)
    .map((segment) =>
      segment.slice(1, isRest(segment) ? -"...}".length : -"}".length),
    );
}

function isParameter(segment) {
  return segment.startsWith("{") && segment.endsWith("}");
}

function isRest(segment) {
  return isParameter(segment) && segment.endsWith("...}");
}

function createNode() {
  return {
    literals: new Map(),
    parameter: null,
    rest: new Map(),
    leaves: new Map(),
  };
}

function child(literals, segment) {
  let node = literals.get(segment);
  if (node === undefined) {
    node = createNode();
    literals.set(segment, node);
  }
  return node;
}

function addFirst(values, method, value) {
  if (!values.has(method)) values.set(method, value);
}
