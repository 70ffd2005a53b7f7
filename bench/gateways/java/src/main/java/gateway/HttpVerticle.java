package gateway;

import io.netty.channel.ChannelPipeline;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.HttpServerConnection;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The HTTP server of one event loop: as many as there are workers share the port. */
final class HttpVerticle extends VerticleBase {
  private static final int MAX_HEADER_BYTES = 64 * 1_024;
  private static final Set<HttpMethod> METHODS =
      Set.of(
          HttpMethod.GET,
          HttpMethod.HEAD,
          HttpMethod.POST,
          HttpMethod.PUT,
          HttpMethod.PATCH,
          HttpMethod.DELETE,
          HttpMethod.OPTIONS);
  private static final byte[] OK = status("ok");
  private static final byte[] READY = status("ready");

  private final Gateway gateway;

  /** The last request of each open connection; only this event loop uses it. */
  private final Map<HttpConnection, Exchange> exchanges = new HashMap<>();

  private HttpServer server;

  HttpVerticle(Gateway gateway) {
    this.gateway = gateway;
  }

  @Override
  public Future<?> start() {
    gateway.workers().join(context);
    var options =
        new HttpServerOptions()
            .setHost(gateway.config().host())
            .setPort(gateway.config().port())
            .setMaxInitialLineLength(MAX_HEADER_BYTES)
            .setMaxHeaderSize(MAX_HEADER_BYTES)
            .setHttp2ClearTextEnabled(false);
    server =
        vertx
            .createHttpServer(options)
            .connectionHandler(this::connected)
            .requestHandler(this::handle)
            .invalidRequestHandler(this::refuseMalformed);
    return server.listen();
  }

  /** Closes the listener and idle connections at once, the others after their answer. */
  @Override
  public Future<?> stop() {
    // The drain decides when it has waited long enough, and then ends the process.
    return server.shutdown(Duration.ofDays(1));
  }

  private void connected(HttpConnection connection) {
    exchanges.put(connection, null);
    connection.closeHandler(closed -> exchanges.remove(connection));
    // What clients do to their connections is no error of the gateway's; Vert.x would log it as
    // one.
    connection.exceptionHandler(
        broken ->
            gateway.log().log(JsonLog.Level.DEBUG, "connection broke", "error", broken.toString()));
    // Vert.x shows a connection's channel on its internal interface only.
    ChannelPipeline pipeline =
        ((HttpServerConnection) connection).channelHandlerContext().pipeline();
    pipeline.addAfter(
        "httpDecoder",
        "readTimeout",
        new ReadTimeout(
            gateway.config().readTimeoutMs(), () -> exchanges.get(connection).bodyIsLate()));
    pipeline.addAfter("readTimeout", "versionCheck", VersionCheck.INSTANCE);
  }

  private void refuseMalformed(HttpServerRequest request) {
    opened(request).refuseAndClose(Problem.INVALID_REQUEST, "not an HTTP request that can be read");
  }

  private void handle(HttpServerRequest request) {
    Exchange exchange = opened(request);
    exchange.run(() -> dispatch(exchange, request));
  }

  private Exchange opened(HttpServerRequest request) {
    var exchange = new Exchange(gateway, request);
    exchanges.put(request.connection(), exchange);
    return exchange;
  }

  private void dispatch(Exchange exchange, HttpServerRequest request) {
    if (!METHODS.contains(exchange.method())) {
      exchange.refuseAndClose(Problem.UNKNOWN_METHOD, "unknown method");
    } else if (request.version() == HttpVersion.HTTP_1_1
        && exchange.header(HttpHeaders.HOST) == null) {
      exchange.refuseAndClose(Problem.INVALID_REQUEST, "Host is required");
    } else if (exchange.endpoint() == Endpoint.OTHER) {
      gateway
          .faults()
          .filter(faults -> faults.handles(exchange.path()))
          .orElseThrow(() -> new Refusal(Problem.NOT_FOUND, "no such endpoint"))
          .handle(exchange);
    } else if (!isAllowed(exchange.method(), exchange.endpoint())) {
      exchange.refuseMethod(exchange.endpoint().allow);
    } else {
      serve(exchange);
    }
  }

  private static boolean isAllowed(HttpMethod method, Endpoint endpoint) {
    return switch (endpoint) {
      case ROUTE -> method == HttpMethod.POST;
      case PROXY -> method != HttpMethod.OPTIONS;
      default -> method == HttpMethod.GET || method == HttpMethod.HEAD;
    };
  }

  private void serve(Exchange exchange) {
    switch (exchange.endpoint()) {
      case ROUTE -> gateway.route().handle(exchange);
      case PROXY -> gateway.proxy().handle(exchange);
      case HEALTHZ -> exchange.answer(200, OK);
      case READYZ -> {
        if (gateway.drain().isDraining()) {
          throw new Refusal(Problem.DRAINING, "the gateway is shutting down");
        }
        exchange.answer(200, READY);
      }
      case INFO -> exchange.answer(200, gateway.info().write(gateway.workers().count()));
      case METRICS -> exchange.answer(200, Metrics.CONTENT_TYPE, gateway.metrics().scrape());
      case OTHER -> throw new IllegalStateException("dispatched before");
    }
  }

  private static byte[] status(String status) {
    return Json.write(
        out -> {
          out.writeStartObject();
          out.writeStringField("status", status);
          out.writeEndObject();
        });
  }
}
