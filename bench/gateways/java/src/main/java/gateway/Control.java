package gateway;

/** The process as a control (§11): its hiccup meter and nothing else. */
final class Control {
  private Control() {}

  /** Lets the meter run until SIGTERM ends the process with code 0. */
  static void run(HiccupMeter meter, JsonLog log) {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  meter.close();
                  log.close();
                  // A hook cannot choose the exit code (it would be 143) except by halting.
                  Runtime.getRuntime().halt(0);
                },
                "end"));
    log.always(JsonLog.Level.INFO, "control");
    try {
      // The meter's thread is a daemon, so this one keeps the process alive: it waits for itself.
      Thread.currentThread().join();
    } catch (InterruptedException e) {
      throw new IllegalStateException("nothing interrupts a control", e);
    }
  }
}
