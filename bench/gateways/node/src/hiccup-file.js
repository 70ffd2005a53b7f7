import { closeSync, openSync, writeSync } from "node:fs";

const RECORD_BYTES = 24;
/** More than come in a second: a timer of the loop fires once a millisecond at most. */
const CAPACITY = 2048;
const LOW = 2 ** 32;
/** In place of a lateness, in a record that is no hiccup. */
const NO_HICCUP = -1;

/**
 * `hiccups.bin` (§11): records of three signed 64-bit little-endian integers,
 * gathered in one buffer. Numbers are written in two halves, since a BigInt
 * would be allocated for each.
 */
export class HiccupFile {
  #file;
  #buffer = Buffer.alloc(RECORD_BYTES * CAPACITY);
  #used = 0;
  #zeroHigh;
  #zeroLow;

  /**
   * @param {string} path
   * @param {bigint} zeroNs instant on CLOCK_MONOTONIC from which instants are counted
   * @throws {Error} when it cannot be created
   */
  constructor(path, zeroNs) {
    this.#file = openSync(path, "w");
    this.#zeroHigh = Number(zeroNs >> 32n);
    this.#zeroLow = Number(zeroNs & 0xffff_ffffn);
  }

  /**
   * @param {number} dueNs after zero
   * @param {number} lateNs
   * @param {number} runDelayNs
   */
  addHiccup(dueNs, lateNs, runDelayNs) {
    if (this.#used === this.#buffer.length) this.#handOver();
    const low = this.#zeroLow + (dueNs % LOW);
    const high = this.#zeroHigh + Math.floor(dueNs / LOW);
    this.#put(high + Math.floor(low / LOW), low % LOW);
    this.#putNumber(lateNs);
    this.#putNumber(runDelayNs);
  }

  /**
   * Adds the record that is no hiccup, and hands all records to the system.
   *
   * @param {number} nowNs after zero
   * @param {number} wakes since the last such record
   */
  mark(nowNs, wakes) {
    this.addHiccup(nowNs, NO_HICCUP, wakes);
    this.#handOver();
  }

  close() {
    closeSync(this.#file);
  }

  #putNumber(value) {
    const high = Math.floor(value / LOW);
    this.#put(high, value - high * LOW);
  }

  #put(high, low) {
    this.#buffer.writeUInt32LE(low, this.#used);
    this.#buffer.writeInt32LE(high, this.#used + 4);
    this.#used += 8;
  }

  #handOver() {
    let written = 0;
    while (written < this.#used) {
      const rest = this.#used - written;
      written += writeSync(this.#file, this.#buffer, written, rest);
    }
    this.#used = 0;
  }
}
