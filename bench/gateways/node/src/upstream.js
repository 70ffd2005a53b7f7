import { Pool } from "undici";
import { Refusal } from "./refusal.js";

/** undici's own 4 s would close the pool's connections at a low rate. */
const IDLE_MS = 90_000;

/**
 * @typedef {object} UpstreamAnswer
 * @property {number} status
 * @property {string[]} headers names and values in turn
 * @property {Buffer} body
 */

/** Sends requests upstream and gathers the answers. */
export class Upstream {
  #pool;
  #basePath;
  #timeoutMs;

  /** @param {import("./config.js").Config} config whose upstream is set */
  constructor(config) {
    this.#timeoutMs = config.upstreamTimeoutMs;
    this.#basePath = config.upstream.basePath;
    this.#pool = new Pool(config.upstream.origin, {
      // pipelining 0 is undici's word for "no keep-alive".
      ...(config.upstreamPool
        ? { connections: config.upstreamPoolSize, pipelining: 1 }
        : { connections: null, pipelining: 0 }),
      connect: { timeout: config.upstreamTimeoutMs },
      keepAliveTimeout: IDLE_MS,
      // One deadline covers the whole exchange, see Exchange.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /**
   * @param {string} method
   * @param {string} path begins with `/`
   * @param {string[]} headers names and values in turn
   * @param {Buffer | null} body
   * @returns {Promise<UpstreamAnswer>}
   * @throws {Refusal} `upstream_unreachable` or `upstream_timeout`
   */
  send(method, path, headers, body) {
    return new Promise((resolve, reject) => {
      this.#pool.dispatch(
        { method, path: this.#basePath + path, headers, body },
        new Exchange(this.#timeoutMs, resolve, reject),
      );
    });
  }
}

/**
 * One request and its answer, as undici's dispatcher reports them.
 *
 * The answer is gathered whole before any of it is passed on: one that breaks
 * off or stalls half-way can then still be answered 502 or 504.
 */
class Exchange {
  #timeoutMs;
  #resolve;
  #reject;
  #timer;
  #status = 0;
  /** @type {string[]} */
  #headers = [];
  /** @type {Buffer[]} */
  #chunks = [];

  constructor(timeoutMs, resolve, reject) {
    this.#timeoutMs = timeoutMs;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Called just before the first byte is sent; again if undici has to requeue. */
  onRequestStart(controller) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      controller.abort(timedOut(this.#timeoutMs));
    }, this.#timeoutMs);
  }

  onResponseStart(controller, status) {
    this.#status = status;
    this.#headers = controller.rawHeaders.map((part) =>
      part.toString("latin1"),
    );
  }

  onResponseData(controller, chunk) {
    this.#chunks.push(chunk);
  }

  onResponseEnd() {
    clearTimeout(this.#timer);
    this.#resolve({
      status: this.#status,
      headers: this.#headers,
      body: Buffer.concat(this.#chunks),
    });
  }

  onResponseError(controller, error) {
    clearTimeout(this.#timer);
    if (error instanceof Refusal) this.#reject(error);
    else if (error.code === "UND_ERR_CONNECT_TIMEOUT") {
      this.#reject(timedOut(this.#timeoutMs));
    } else this.#reject(unreachable(error.message));
  }
}

/**
 * @param {string} reason
 * @returns {Refusal}
 */
export function unreachable(reason) {
  return new Refusal("upstream_unreachable", `No upstream answer: ${reason}.`);
}

function timedOut(timeoutMs) {
  return new Refusal(
    "upstream_timeout",
    `The upstream did not answer within ${timeoutMs} ms.`,
  );
}
