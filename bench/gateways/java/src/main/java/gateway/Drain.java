package gateway;

import io.vertx.core.Vertx;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The end of the process on SIGTERM: readiness goes, then the listener, then the requests. */
final class Drain {
  /** Closing idle connections takes a moment even where requests get none. */
  private static final long LEAST_TIMEOUT_MS = 100;

  private volatile boolean draining;
  private volatile boolean closing;

  /** Whether SIGTERM came. */
  boolean isDraining() {
    return draining;
  }

  /** Whether the listener is closing, so that every answer is its connection's last. */
  boolean isClosing() {
    return closing;
  }

  /** Has the JVM drain when it is told to end, which is what it makes of SIGTERM. */
  void onTermination(
      Vertx vertx, String deployment, Config config, Optional<Hiccups> hiccups, JsonLog log) {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  int code = drain(vertx, deployment, config);
                  hiccups.ifPresent(Hiccups::stop);
                  log.close();
                  // A hook cannot choose the exit code (it would be 143) except by halting.
                  Runtime.getRuntime().halt(code);
                },
                "drain"));
  }

  private int drain(Vertx vertx, String deployment, Config config) {
    draining = true;
    try {
      Thread.sleep(config.drainDelayMs());
      closing = true;
      vertx
          .undeploy(deployment)
          .toCompletionStage()
          .toCompletableFuture()
          .get(Math.max(LEAST_TIMEOUT_MS, config.drainTimeoutMs()), TimeUnit.MILLISECONDS);
      return 0;
    } catch (TimeoutException | ExecutionException | InterruptedException e) {
      return 1;
    }
  }
}
