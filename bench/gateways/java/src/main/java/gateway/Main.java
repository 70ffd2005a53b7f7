package gateway;

import io.vertx.core.DeploymentOptions;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import java.io.IOException;
import java.util.Optional;

/** Starts the gateway. */
public final class Main {
  private static final int EXIT_CANNOT_LISTEN = 1;
  private static final int EXIT_BAD_CONFIG = 2;

  private Main() {}

  public static void main(String[] args) {
    try {
      if (Control.isAsked(System.getenv())) {
        Control.run(System.getenv());
        return;
      }
      Config config = Config.from(System.getenv());
      start(config, new JsonLog(config.logLevel()));
    } catch (Config.Invalid e) {
      var log = new JsonLog(JsonLog.Level.ERROR);
      log.log(JsonLog.Level.ERROR, e.variable + " " + e.getMessage(), "variable", e.variable);
      exit(log, EXIT_BAD_CONFIG);
    }
  }

  private static void start(Config config, JsonLog log) throws Config.Invalid {
    log.adoptPlatformLogging();
    RouteTable table = table(config);
    var tokens = new Tokens(Keys.hs256(config), Keys.rs256(config), config.jwtCache());
    Optional<Hiccups> hiccups = config.meters().start(log);
    var liveSet = new LiveSet(config.liveSetMib());
    Vertx vertx = vertx(config);
    var workers = new Workers();
    var gateway =
        new Gateway(
            config,
            log,
            new Metrics(),
            new Drain(),
            new Info(config, liveSet),
            workers,
            new RouteEndpoint(table, tokens, liveSet),
            new Proxy(vertx, config, table, tokens),
            config.faults() ? Optional.of(new Faults(vertx, workers)) : Optional.empty());
    vertx
        .deployVerticle(
            () -> new HttpVerticle(gateway), new DeploymentOptions().setInstances(config.workers()))
        .onSuccess(
            deployment -> {
              gateway.drain().onTermination(vertx, deployment, config, hiccups, log);
              log.always(
                  JsonLog.Level.INFO, "listening", "host", config.host(), "port", config.port());
            })
        .onFailure(
            cause -> {
              log.log(
                  JsonLog.Level.ERROR,
                  "cannot listen on %s:%d: %s"
                      .formatted(config.host(), config.port(), cause.getMessage()));
              exit(log, EXIT_CANNOT_LISTEN);
            });
  }

  private static RouteTable table(Config config) throws Config.Invalid {
    try {
      return RouteTable.read(config.routes());
    } catch (IOException e) {
      throw new Config.Invalid("GATEWAY_ROUTES", "must name a routing table: " + e);
    }
  }

  private static Vertx vertx(Config config) {
    return Vertx.vertx(
        new VertxOptions()
            .setEventLoopPoolSize(config.workers())
            // The gateway serves no files: without this, Vert.x makes a folder for them.
            .setFileSystemOptions(
                new FileSystemOptions()
                    .setFileCachingEnabled(false)
                    .setClassPathResolvingEnabled(false)));
  }

  private static void exit(JsonLog log, int code) {
    log.close();
    System.exit(code);
  }
}
