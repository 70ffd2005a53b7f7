import { STATUS_CODES } from "node:http";
import { originForm } from "./endpoints.js";
import { Refusal } from "./refusal.js";
import { formatSpan, startSpan } from "./trace.js";

/** A request line whose method Node's parser does not know. */
const REQUEST_LINE = /[!#$%&'*+.^_`|~0-9A-Za-z-]+ (\S+) HTTP\/1\.[01]\r?\n/y;

/** Statuses of parse errors that are no plain 400. */
const STATUS_OF = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
};

/** Answers requests that Node's HTTP parser refuses; they never reach Fastify. */
export class Malformed {
  #metrics;
  #endpoints;
  /** @type {WeakSet<import("node:net").Socket>} */
  #answeredEarly = new WeakSet();

  /**
   * @param {import("./metrics.js").Metrics} metrics
   * @param {import("./endpoints.js").Endpoints} endpoints
   */
  constructor(metrics, endpoints) {
    this.#metrics = metrics;
    this.#endpoints = endpoints;
  }

  /**
   * Notes that a request was answered before its body had come. Should that
   * body be late or malformed, there is nothing left to say.
   *
   * @param {import("node:net").Socket} socket
   */
  answeredEarly(socket) {
    this.#answeredEarly.add(socket);
  }

  /**
   * @param {Error} error of the parser, or that a request is late
   * @param {import("node:net").Socket} socket
   */
  answer(error, socket) {
    // Node counts the time of a header from the opening of its connection. One
    // that has sent nothing is idle, not late.
    const isLate = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
    if (isLate && socket.bytesRead === 0) return;
    const target = unknownMethodTarget(error);
    if (!socket.writable || this.#answeredEarly.has(socket)) {
      socket.destroy();
    } else if (isLate) {
      end(socket, new Refusal("request_timeout", "The request is late."));
    } else if (target !== undefined) {
      const endpoint = this.#endpoints.find(originForm(target));
      this.refuseMethod(socket, endpoint?.label ?? "other");
    } else {
      endEmpty(socket, STATUS_OF[error.code] ?? 400);
    }
  }

  /**
   * Answers 501 on a bare connection.
   *
   * @param {import("node:net").Socket} socket
   * @param {string} label value of the metrics' `endpoint`
   */
  refuseMethod(socket, label) {
    const refusal = unknownMethodRefusal();
    end(socket, refusal);
    this.#metrics.observe(label, refusal.statusCode, 0);
  }
}

/** @returns {Refusal} */
export function unknownMethodRefusal() {
  return new Refusal("unknown_method", "The method is not known.");
}

/** Finds the target of the request at whose method the parser stopped. */
function unknownMethodTarget({ code, rawPacket, bytesParsed }) {
  if (code !== "HPE_INVALID_METHOD") return undefined;
  const packet = rawPacket.toString("latin1");
  REQUEST_LINE.lastIndex = packet.lastIndexOf("\n", bytesParsed - 1) + 1;
  return REQUEST_LINE.exec(packet)?.[1];
}

function end(socket, refusal) {
  const text = refusal.toText();
  const status = refusal.statusCode;
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(text)}`,
      "Connection: close",
      `traceresponse: ${formatSpan(startSpan(undefined))}`,
      "",
      text,
    ].join("\r\n"),
    () => socket.destroy(),
  );
}

function endEmpty(socket, status) {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    () => socket.destroy(),
  );
}
