package gateway;

import java.util.concurrent.TimeUnit;

/**
 * A loop that the JVM cannot stop (§9): counted by an int, so that without strip mining its
 * compiled code holds no safepoint poll.
 */
final class Unstoppable {
  private static final int WARM_UP_CALLS = 30_000;
  private static final int WARM_UP_ITERATIONS = 5_000;
  private static final int TIMED_ITERATIONS = 50_000_000;

  /** Nobody reads it; a result that nobody could read would be compiled away. */
  private static volatile int sink;

  /** When the loop ran, when the collection was asked for, and when the call came back. */
  record Stopping(long startNs, long endNs, long askedNs, long collectedNs) {}

  private Unstoppable() {}

  /** Runs a loop of about that long, and asks for a collection when a quarter of it is over. */
  static Stopping run(int ms) throws InterruptedException {
    int iterations = (int) Math.min(Integer.MAX_VALUE, iterationsPerMs() * ms);
    long[] ran = new long[2];
    var loop =
        new Thread(
            () -> {
              ran[0] = System.nanoTime();
              ran[1] = spin(iterations);
            },
            "unstoppable");
    loop.start();
    TimeUnit.MICROSECONDS.sleep(ms * 250L);
    long asked = System.nanoTime();
    System.gc();
    long collected = System.nanoTime();
    loop.join();
    return new Stopping(ran[0], ran[1], asked, collected);
  }

  private static double iterationsPerMs() {
    for (int i = 0; i < WARM_UP_CALLS; i++) {
      spin(WARM_UP_ITERATIONS);
    }
    long start = System.nanoTime();
    return TIMED_ITERATIONS * 1e6 / (spin(TIMED_ITERATIONS) - start);
  }

  /**
   * Gives the instant of its end, read before the return, where the JVM may stop the thread again.
   */
  private static long spin(int iterations) {
    int mixed = sink;
    for (int i = 0; i < iterations; i++) {
      mixed = mixed * 31 + i;
      mixed ^= mixed >>> 7;
    }
    sink = mixed;
    return System.nanoTime();
  }
}
