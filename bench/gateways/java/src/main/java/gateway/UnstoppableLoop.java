package gateway;

import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * A loop that no safepoint stops: two nested counted loops, from which C2 takes the polls when it
 * is told to (-XX:-UseCountedLoopSafepoints -XX:LoopStripMiningIter=0).
 */
final class UnstoppableLoop {
  private static final int STEPS_PER_ROUND = 1_024;
  private static final int ROUNDS_PER_WARM_UP = 8;
  private static final int WARM_UPS = 1_000;
  private static final int CALIBRATIONS = 3;
  private static final int ROUNDS_PER_CALIBRATION = 1_000;
  private static final long COMPILED_WITHIN_NS = TimeUnit.SECONDS.toNanos(10);

  /** A line of the code cache's list: compilation, level 4 (C2), state 0 (in use), method. */
  private static final Pattern COMPILED =
      Pattern.compile("(?m)^\\s*\\d+\\s+4\\s+0\\s+gateway\\.UnstoppableLoop\\.spin\\(IJ\\)J");

  /** What the loop computed: without a reader there would be no loop. */
  private static volatile long result = 1;

  private UnstoppableLoop() {}

  /** Has the loop compiled; gives whether it is, which it never is without C2. */
  static boolean compile() {
    long start = System.nanoTime();
    while (!isCompiled()) {
      if (System.nanoTime() - start > COMPILED_WITHIN_NS) {
        return false;
      }
      for (int i = 0; i < WARM_UPS; i++) {
        run(ROUNDS_PER_WARM_UP);
      }
    }
    return true;
  }

  /** How many rounds take about this long, by the fastest of some short runs. */
  static int rounds(int ms) {
    long fastest = Long.MAX_VALUE;
    for (int i = 0; i < CALIBRATIONS; i++) {
      long start = System.nanoTime();
      run(ROUNDS_PER_CALIBRATION);
      fastest = Math.min(fastest, System.nanoTime() - start);
    }
    double rounds =
        (double) TimeUnit.MILLISECONDS.toNanos(ms) * ROUNDS_PER_CALIBRATION / Math.max(1, fastest);
    return (int) Math.min(Integer.MAX_VALUE, Math.round(rounds));
  }

  static void run(int rounds) {
    result = spin(rounds, result);
  }

  /** A generator of random numbers (xorshift64), which no compiler can foretell. */
  private static long spin(int rounds, long seed) {
    long x = seed;
    for (int round = 0; round < rounds; round++) {
      for (int step = 0; step < STEPS_PER_ROUND; step++) {
        x ^= x << 13;
        x ^= x >>> 7;
        x ^= x << 17;
      }
    }
    return x;
  }

  /** Asks the JVM, since C1's code, which comes first, has the polls. */
  private static boolean isCompiled() {
    try {
      Object listed =
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "compilerCodelist",
                  null,
                  null);
      return COMPILED.matcher((String) listed).find();
    } catch (JMException e) {
      throw new IllegalStateException("the JVM does not list what it compiled", e);
    }
  }
}
