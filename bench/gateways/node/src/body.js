import { Refusal } from "./refusal.js";

/**
 * Reads a request's body.
 *
 * What is refused is not read here; Node discards the rest of it, so that the
 * connection stays usable.
 *
 * @param {import("node:http").IncomingMessage} request
 * @param {number} limit in bytes
 * @param {number} timeoutMs
 * @returns {Promise<Buffer>}
 * @throws {Refusal} `body_too_large` or `request_timeout`
 */
export function readBody(request, limit, timeoutMs) {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"]) > limit) {
      reject(tooLarge(limit));
      return;
    }
    /** @type {Buffer[]} */
    const chunks = [];
    let size = 0;
    const timer = setTimeout(() => {
      refuse(
        new Refusal(
          "request_timeout",
          `The body did not arrive within ${timeoutMs} ms.`,
          { connection: "close" },
        ),
      );
    }, timeoutMs);

    function onData(chunk) {
      size += chunk.length;
      if (size > limit) refuse(tooLarge(limit));
      else chunks.push(chunk);
    }
    function onEnd() {
      clearTimeout(timer);
      resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size));
    }
    function refuse(error) {
      clearTimeout(timer);
      request.off("data", onData);
      request.off("end", onEnd);
      // Keeps the stream flowing, so that what still comes is discarded.
      request.resume();
      reject(error);
    }
    request.on("data", onData);
    request.on("end", onEnd);
    request.on("error", () => {
      refuse(new Refusal("invalid_request", "The request broke off."));
    });
  });
}

function tooLarge(limit) {
  return new Refusal(
    "body_too_large",
    `The body is larger than ${limit} bytes.`,
  );
}
