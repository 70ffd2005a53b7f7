import { Counter, Histogram, Registry } from "prom-client";

/** Upper bounds in seconds; contract §8. */
const BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2.5,
];

/**
 * What `/metrics` shows. prom-client's default metrics stay off: their GC
 * observer changes what it observes.
 */
export class Metrics {
  #registry = new Registry();
  #requests = new Counter({
    name: "http_server_requests_total",
    help: "Requests answered.",
    labelNames: ["endpoint", "status"],
    registers: [this.#registry],
  });
  #durations = new Histogram({
    name: "http_server_request_duration_seconds",
    help: "From a request's header to its answer's last byte.",
    labelNames: ["endpoint"],
    buckets: BUCKETS,
    registers: [this.#registry],
  });
  /** @type {Map<string, Map<number, Counter.Internal>>} */
  #countersOf = new Map();
  /** @type {Map<string, Histogram.Internal>} */
  #histogramOf = new Map();

  /**
   * @param {string} endpoint
   * @param {number} status
   * @param {number} durationMs
   */
  observe(endpoint, status, durationMs) {
    this.#counter(endpoint, status).inc();
    this.#histogram(endpoint).observe(durationMs / 1000);
  }

  get contentType() {
    return this.#registry.contentType;
  }

  /** @returns {Promise<string>} the Prometheus text format */
  toText() {
    return this.#registry.metrics();
  }

  #counter(endpoint, status) {
    let counters = this.#countersOf.get(endpoint);
    if (counters === undefined) {
      counters = new Map();
      this.#countersOf.set(endpoint, counters);
    }
    let counter = counters.get(status);
    if (counter === undefined) {
      counter = this.#requests.labels(endpoint, String(status));
      counters.set(status, counter);
    }
    return counter;
  }

  #histogram(endpoint) {
    let histogram = this.#histogramOf.get(endpoint);
    if (histogram === undefined) {
      histogram = this.#durations.labels(endpoint);
      this.#histogramOf.set(endpoint, histogram);
    }
    return histogram;
  }
}
