/**
 * W3C trace context, level 1: the span that this gateway adds to a trace.
 *
 * @typedef {object} Span
 * @property {string} traceId 32 lower-case hex digits
 * @property {string} spanId 16 lower-case hex digits
 * @property {string} flags 2 lower-case hex digits
 * @property {boolean} continued whether the caller's traceparent was valid
 */

const ZERO = 0x30;
const NINE = 0x39;
const A = 0x61;
const F = 0x66;
const DASH = 0x2d;

const words = new Uint32Array(4);
const bytes = Buffer.from(words.buffer);

/**
 * Continues the caller's trace, or starts one.
 *
 * @param {string | undefined} traceparent
 * @returns {Span}
 */
export function startSpan(traceparent) {
  if (traceparent !== undefined && isValid(traceparent)) {
    return {
      traceId: traceparent.slice(3, 35),
      spanId: randomHex(2),
      flags: traceparent.slice(53, 55),
      continued: true,
    };
  }
  return {
    traceId: randomHex(4),
    spanId: randomHex(2),
    flags: "01",
    continued: false,
  };
}

/**
 * @param {Span} span
 * @returns {string} value of `traceresponse`, and of `traceparent` upstream
 */
export function formatSpan(span) {
  return `00-${span.traceId}-${span.spanId}-${span.flags}`;
}

/** Math.random() is V8's xorshift128+: cheap, and good enough for ids. */
function randomHex(wordCount) {
  for (let i = 0; i < wordCount; i++) {
    words[i] = Math.random() * 0x1_0000_0000;
  }
  // An id must not be all zeros.
  words[0] |= 1;
  return bytes.toString("hex", 0, wordCount * 4);
}

function isValid(text) {
  if (
    text.length < 55 ||
    text.charCodeAt(2) !== DASH ||
    text.charCodeAt(35) !== DASH ||
    text.charCodeAt(52) !== DASH ||
    !isHex(text, 0, 2) ||
    !isHex(text, 53, 55)
  ) {
    return false;
  }
  const version = text.slice(0, 2);
  if (version === "ff") return false;
  if (text.length > 55) {
    if (version === "00" || text.charCodeAt(55) !== DASH) return false;
  }
  return isId(text, 3, 35) && isId(text, 36, 52);
}

function isHex(text, from, to) {
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (!((c >= ZERO && c <= NINE) || (c >= A && c <= F))) return false;
  }
  return true;
}

/** Tells whether a range is lower-case hex and not all zeros. */
function isId(text, from, to) {
  if (!isHex(text, from, to)) return false;
  for (let i = from; i < to; i++) {
    if (text.charCodeAt(i) !== ZERO) return true;
  }
  return false;
}
