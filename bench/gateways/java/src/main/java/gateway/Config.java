package gateway;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The settings of the contract (§1), read once from the environment. */
record Config(
    String host,
    int port,
    Path routes,
    int workers,
    Optional<URI> upstream,
    boolean upstreamPool,
    int upstreamPoolSize,
    int upstreamTimeoutMs,
    Optional<String> hs256Secret,
    Optional<Path> rs256PublicKey,
    boolean jwtCache,
    int liveSetMib,
    int bodyLimit,
    int readTimeoutMs,
    int drainDelayMs,
    int drainTimeoutMs,
    JsonLog.Level logLevel,
    Meters meters,
    boolean faults) {

  /** A variable that is missing or malformed; the process ends with exit code 2. */
  static final class Invalid extends Exception {
    private static final long serialVersionUID = 1L;

    final String variable;

    Invalid(String variable, String reason) {
      super(reason);
      this.variable = variable;
    }
  }

  /** What the process records of itself, and where. */
  record Meters(Optional<Path> folder, int hiccupUs) {
    private static final int MAX_PERIOD_US = 60_000_000;

    static Meters from(Map<String, String> environment) throws Invalid {
      var env = new Environment(environment);
      return new Meters(
          env.text("GATEWAY_METERS_DIR").map(Path::of),
          env.number("GATEWAY_HICCUP_US", 10_000, 0, MAX_PERIOD_US));
    }

    /** Starts the hiccup meter, if there is to be one. */
    Optional<Hiccups> start(JsonLog log) throws Invalid {
      if (folder.isEmpty() || hiccupUs == 0) {
        return Optional.empty();
      }
      try {
        return Optional.of(Hiccups.start(folder.get(), hiccupUs, log));
      } catch (IOException e) {
        throw new Invalid("GATEWAY_METERS_DIR", "must be a folder that can be written to: " + e);
      }
    }
  }

  static Config from(Map<String, String> environment) throws Invalid {
    var env = new Environment(environment);
    return new Config(
        env.text("GATEWAY_HOST").orElse("127.0.0.1"),
        env.number("GATEWAY_PORT", null, 1, 65_535),
        Path.of(env.required("GATEWAY_ROUTES")),
        env.number("GATEWAY_WORKERS", 1, 1, 1_024),
        env.upstream("GATEWAY_UPSTREAM"),
        env.onOff("GATEWAY_UPSTREAM_POOL"),
        env.number("GATEWAY_UPSTREAM_POOL_SIZE", 64, 1, 65_535),
        env.number("GATEWAY_UPSTREAM_TIMEOUT_MS", 2_000, 1, Integer.MAX_VALUE),
        env.text("GATEWAY_JWT_HS256_SECRET"),
        env.text("GATEWAY_JWT_RS256_PUBLIC_KEY").map(Path::of),
        env.onOff("GATEWAY_JWT_CACHE"),
        env.number("GATEWAY_LIVE_SET_MIB", 64, 0, LiveSet.MAX_MIB),
        env.number("GATEWAY_BODY_LIMIT", 1_048_576, 0, Integer.MAX_VALUE),
        env.number("GATEWAY_READ_TIMEOUT_MS", 5_000, 1, Integer.MAX_VALUE),
        env.number("GATEWAY_DRAIN_DELAY_MS", 0, 0, Integer.MAX_VALUE),
        env.number("GATEWAY_DRAIN_TIMEOUT_MS", 10_000, 0, Integer.MAX_VALUE),
        env.logLevel("GATEWAY_LOG_LEVEL"),
        Meters.from(environment),
        env.text("ENABLE_FAULTS").filter("1"::equals).isPresent());
  }

  private record Environment(Map<String, String> variables) {

    Optional<String> text(String name) throws Invalid {
      String value = variables.get(name);
      if (value != null && value.isEmpty()) {
        throw new Invalid(name, "is empty: set it, or leave it out");
      }
      return Optional.ofNullable(value);
    }

    String required(String name) throws Invalid {
      return text(name).orElseThrow(() -> new Invalid(name, "is required"));
    }

    int number(String name, Integer otherwise, int least, int most) throws Invalid {
      String value = otherwise == null ? required(name) : text(name).orElse(null);
      if (value == null) {
        return otherwise;
      }
      try {
        int number = Integer.parseInt(value);
        if (number >= least && number <= most) {
          return number;
        }
      } catch (NumberFormatException e) {
        // Said below, as for a number out of range.
      }
      throw new Invalid(name, "must be an integer from %d to %d".formatted(least, most));
    }

    boolean onOff(String name) throws Invalid {
      return switch (text(name).orElse("on")) {
        case "on" -> true;
        case "off" -> false;
        default -> throw new Invalid(name, "must be on or off");
      };
    }

    Optional<URI> upstream(String name) throws Invalid {
      Optional<String> value = text(name);
      if (value.isEmpty()) {
        return Optional.empty();
      }
      try {
        URI uri = new URI(value.get());
        if ("http".equals(uri.getScheme()) && uri.getHost() != null && uri.getRawQuery() == null) {
          return Optional.of(uri);
        }
      } catch (URISyntaxException e) {
        // Said below, as for a URL of another kind.
      }
      throw new Invalid(name, "must be a URL such as http://127.0.0.1:9000");
    }

    JsonLog.Level logLevel(String name) throws Invalid {
      return switch (text(name).orElse("warn")) {
        case "debug" -> JsonLog.Level.DEBUG;
        case "info" -> JsonLog.Level.INFO;
        case "warn" -> JsonLog.Level.WARN;
        case "error" -> JsonLog.Level.ERROR;
        default -> throw new Invalid(name, "must be debug, info, warn or error");
      };
    }
  }
}
