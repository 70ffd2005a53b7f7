import { join } from "node:path";
import { monotonicOrigin } from "./clock.js";
import { ConfigError } from "./config.js";
import { HiccupFile } from "./hiccup-file.js";
import { RunDelay } from "./run-delay.js";

const FILE = "hiccups.bin";
const NS_PER_US = 1e3;
const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;
const LEAST_LATE_NS = 50 * NS_PER_US;

/**
 * Starts the hiccup meter, unless the settings want none (§11).
 *
 * @param {import("./config.js").MeterConfig} config
 * @param {(error: Error) => void} onFailure told once, when a record cannot be written
 * @returns {void}
 * @throws {ConfigError} when the file cannot be created
 */
export function startHiccupMeter({ metersDir, hiccupUs }, onFailure) {
  if (metersDir === null || hiccupUs === 0) return;
  const clock = new LoopClock();
  let file;
  try {
    file = new HiccupFile(join(metersDir, FILE), clock.zeroNs);
  } catch (error) {
    const reason = `is no folder for ${FILE}: ${error.message}`;
    throw new ConfigError("GATEWAY_METERS_DIR", reason);
  }
  const meter = new HiccupMeter(clock, file, hiccupUs * NS_PER_US, onFailure);
  // However the process ends: after SIGTERM, or by process.exit().
  process.once("exit", () => meter.end());
}

/**
 * CLOCK_MONOTONIC, counted from a whole millisecond of it: on those the event
 * loop's timers fire. A number, since process.hrtime.bigint() allocates.
 */
class LoopClock {
  #offsetNs;

  constructor() {
    const originNs = monotonicOrigin();
    this.#offsetNs = Number(originNs % BigInt(NS_PER_MS));
    /** Zero of this clock on CLOCK_MONOTONIC. */
    this.zeroNs = originNs - BigInt(this.#offsetNs);
  }

  /** @returns {number} whole ns since zero */
  nowNs() {
    return Math.round(performance.now() * NS_PER_MS) + this.#offsetNs;
  }
}

/** Wakes at absolute deadlines on the event loop, and records how late it was. */
class HiccupMeter {
  #clock;
  #file;
  #periodNs;
  #onFailure;
  #runDelay = new RunDelay();
  /** @type {Map<number, NodeJS.Timeout>} by their delay in ms, each used again and again */
  #timers = new Map();
  #dueNs;
  #markDueNs = 0;
  #wakes = 0;
  #ended = false;

  constructor(clock, file, periodNs, onFailure) {
    this.#clock = clock;
    this.#file = file;
    this.#periodNs = periodNs;
    this.#onFailure = onFailure;
    const nowNs = clock.nowNs();
    this.#dueNs = Math.ceil(nowNs / NS_PER_MS) * NS_PER_MS + periodNs;
    this.#attempt(() => this.#mark(nowNs));
    this.#sleep();
  }

  /** Writes the last records. */
  end() {
    this.#attempt(() => {
      this.#mark(this.#clock.nowNs());
      this.#file.close();
    });
    this.#ended = true;
  }

  #wake = () => {
    this.#attempt(this.#record);
    this.#sleep();
  };

  #record = () => {
    const nowNs = this.#clock.nowNs();
    const lateNs = nowNs - this.#dueNs;
    // The loop's own clock may be ahead by a rounding: then it sleeps on.
    if (lateNs < 0) return;
    this.#wakes++;
    const runDelayNs = this.#runDelay.sinceLast();
    if (lateNs >= LEAST_LATE_NS) {
      this.#file.addHiccup(this.#dueNs, lateNs, runDelayNs);
    }
    this.#dueNs += (Math.floor(lateNs / this.#periodNs) + 1) * this.#periodNs;
    if (nowNs >= this.#markDueNs) this.#mark(nowNs);
  };

  #mark(nowNs) {
    this.#file.mark(nowNs, this.#wakes);
    this.#wakes = 0;
    this.#markDueNs = nowNs + NS_PER_S;
  }

  /** A meter that cannot write is no reason for the gateway to fail. */
  #attempt(work) {
    if (this.#ended) return;
    try {
      work();
    } catch (error) {
      this.#ended = true;
      this.#onFailure(error);
    }
  }

  #sleep() {
    if (this.#ended) return;
    const nowMs = Math.floor(this.#clock.nowNs() / NS_PER_MS);
    const delayMs = Math.max(1, Math.ceil(this.#dueNs / NS_PER_MS) - nowMs);
    const timer = this.#timers.get(delayMs);
    if (timer === undefined) {
      // Unref'd, it never keeps the process alive.
      this.#timers.set(delayMs, setTimeout(this.#wake, delayMs).unref());
    } else {
      timer.refresh();
    }
  }
}
