import { openSync, readSync } from "node:fs";

const PATH = "/proc/thread-self/schedstat";
const LONGEST_TEXT = 64;
const ZERO = 0x30;
const NINE = 0x39;

/** What is told where the kernel does not tell. */
export const UNKNOWN = -1;

/**
 * The time that the thread which makes this object spent ready to run, and
 * waiting for a processor. Reading it allocates nothing.
 */
export class RunDelay {
  #file = open();
  #text = Buffer.alloc(LONGEST_TEXT);
  #last = this.#total();

  /** @returns {number} ns since the last call, or UNKNOWN */
  sinceLast() {
    const total = this.#total();
    const known = total !== UNKNOWN && this.#last !== UNKNOWN;
    const delay = known ? total - this.#last : UNKNOWN;
    this.#last = total;
    return delay;
  }

  /** Gives the second field; the first is the time spent running. */
  #total() {
    if (this.#file === null) return UNKNOWN;
    const text = this.#text;
    const length = readSync(this.#file, text, 0, LONGEST_TEXT, 0);
    let i = 0;
    let ran = 0;
    for (; i < length && isDigit(text[i]); i++) ran = 10 * ran + text[i] - ZERO;
    // A kernel that does not count shows zeros, also of a thread that has run.
    if (ran === 0) return UNKNOWN;
    let delay = 0;
    for (i++; i < length && isDigit(text[i]); i++) {
      delay = 10 * delay + text[i] - ZERO;
    }
    return delay;
  }
}

function open() {
  try {
    return openSync(PATH, "r");
  } catch {
    return null;
  }
}

function isDigit(byte) {
  return byte >= ZERO && byte <= NINE;
}
