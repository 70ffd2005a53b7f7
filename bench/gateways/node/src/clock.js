/** @returns {bigint} CLOCK_MONOTONIC in nanoseconds; a double would be too coarse */
export const monotonicNs = process.hrtime.bigint;

/**
 * Reads the monotonic and the wall clock at one instant.
 *
 * Node shows the wall clock in whole milliseconds only, so this waits for the
 * next one to begin: that was between the last reading of the old millisecond
 * and the first of the new one.
 *
 * @returns {{monotonicNs: bigint, wallNs: bigint, uncertaintyNs: bigint}}
 */
export function readClocks() {
  let before = monotonicNs();
  const old = Date.now();
  let next = monotonicNs();
  let wall = Date.now();
  while (wall === old) {
    before = next;
    next = monotonicNs();
    wall = Date.now();
  }
  const after = monotonicNs();
  return {
    monotonicNs: (before + after) / 2n,
    wallNs: BigInt(wall) * 1_000_000n,
    uncertaintyNs: (after - before + 1n) / 2n,
  };
}
