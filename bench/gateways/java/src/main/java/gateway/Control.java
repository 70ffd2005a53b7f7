package gateway;

import java.util.Map;

/** A process that does nothing but watch itself (§11): what it sees, the machine did. */
final class Control {
  private Control() {}

  static boolean isAsked(Map<String, String> environment) {
    return "1".equals(environment.get("GATEWAY_CONTROL"));
  }

  /** Runs the hiccup meter until SIGTERM. */
  static void run(Map<String, String> environment) throws Config.Invalid {
    Config.Meters meters = Config.Meters.from(environment);
    if (meters.folder().isEmpty()) {
      throw new Config.Invalid("GATEWAY_METERS_DIR", "is required of a control");
    }
    if (meters.hiccupUs() == 0) {
      throw new Config.Invalid("GATEWAY_HICCUP_US", "must not be 0 for a control");
    }
    var log = new JsonLog(JsonLog.Level.WARN);
    Hiccups hiccups = meters.start(log).orElseThrow();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  hiccups.stop();
                  log.close();
                  Runtime.getRuntime().halt(0);
                },
                "end"));
    log.always(JsonLog.Level.INFO, "control");
  }
}
