const ENTRIES_PER_MIB = 1024;

/**
 * 768 bytes as 96 doubles, which V8 keeps unboxed on its heap. Of a Uint8Array
 * of that size the bytes would be outside of the heap.
 */
const BYTES = Array.from({ length: 96 }, () => 0.5);

/** Holds a counter, and beside it a tag, for their hexadecimal form. */
const digits = Buffer.alloc(8);

/**
 * @typedef {object} Entry nominally 1 KiB, every part of it allocated by itself
 * @property {number} number
 * @property {string} key
 * @property {string} label1
 * @property {string} label2
 * @property {string} label3
 * @property {string} label4
 * @property {{bytes: number[]}} node
 */

/** What the gateway retains so that a collector has something to trace (§7). */
export class LiveSet {
  /** @type {Entry[]} */
  #entries;
  #counter = 0;
  #next = 0;

  /** @param {number} mib nominal size */
  constructor(mib) {
    const length = mib * ENTRIES_PER_MIB;
    this.#entries = new Array(length);
    for (let i = 0; i < length; i++) {
      this.#entries[i] = createEntry(this.#counter++);
    }
  }

  get size() {
    return this.#entries.length;
  }

  /** Replaces the oldest entry by a freshly allocated one. */
  replaceOne() {
    if (this.#entries.length === 0) return;
    this.#entries[this.#next] = createEntry(this.#counter++);
    this.#next = (this.#next + 1) % this.#entries.length;
  }
}

/**
 * @param {number} counter
 * @returns {Entry}
 */
function createEntry(counter) {
  return {
    number: counter,
    key: hex(0, counter),
    label1: hex(1, counter),
    label2: hex(2, counter),
    label3: hex(3, counter),
    label4: hex(4, counter),
    node: { bytes: BYTES.slice() },
  };
}

/** Sixteen digits in one flat string: concatenation would retain a tree of parts. */
function hex(tag, counter) {
  digits.writeUInt16BE(tag, 0);
  digits.writeUIntBE(counter, 2, 6);
  return digits.toString("hex");
}
