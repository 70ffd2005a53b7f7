/** Header fields that concern one connection only (RFC 9110 §7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "proxy-connection",
  "keep-alive",
  "te",
  "transfer-encoding",
  "upgrade",
];

/**
 * Removes what must not be forwarded from a list of header fields: hop-by-hop
 * fields, those that `Connection` names, and those of `replaced`.
 *
 * @param {string[]} fields names and values in turn
 * @param {Iterable<string>} replaced lower-case names that the caller adds anew
 * @returns {string[]} a new list
 */
export function endToEnd(fields, replaced) {
  const removed = new Set([...HOP_BY_HOP, ...replaced]);
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i].toLowerCase() !== "connection") continue;
    for (const option of fields[i + 1].split(",")) {
      removed.add(option.trim().toLowerCase());
    }
  }
  const kept = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!removed.has(fields[i].toLowerCase())) {
      kept.push(fields[i], fields[i + 1]);
    }
  }
  return kept;
}
