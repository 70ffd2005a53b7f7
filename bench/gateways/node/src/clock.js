/** @returns {bigint} CLOCK_MONOTONIC in nanoseconds; a double would be too coarse */
export const monotonicNs = process.hrtime.bigint;

const ORIGIN_READINGS = 100;

/**
 * Finds out where performance.now() began: between two readings of the
 * monotonic clock, of many the two that are nearest to each other. Both clocks
 * are CLOCK_MONOTONIC, so this holds for as long as the process lives.
 *
 * @returns {bigint} CLOCK_MONOTONIC in ns when performance.now() was 0
 */
export function monotonicOrigin() {
  let narrowest = null;
  let originNs = 0n;
  for (let i = 0; i < ORIGIN_READINGS; i++) {
    const before = monotonicNs();
    const now = performance.now();
    const after = monotonicNs();
    if (narrowest === null || after - before < narrowest) {
      narrowest = after - before;
      originNs = (before + after) / 2n - BigInt(Math.round(now * 1e6));
    }
  }
  return originNs;
}

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
