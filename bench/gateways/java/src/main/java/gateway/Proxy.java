package gateway;

import io.netty.channel.ConnectTimeoutException;
import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import java.net.URI;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * {@code /proxy/{service}}: forwards to the upstream. Bodies are taken whole both ways, so that one
 * that breaks off, or comes late, still gets its 502 or 504.
 */
final class Proxy {
  private static final int PREFIX = "/proxy".length();

  /** With the pool off, as many connections as there are ports to open them from. */
  private static final int UNPOOLED_CONNECTIONS = 65_535;

  private static final Set<String> HOP_BY_HOP =
      caseInsensitive(
          "Connection", "Proxy-Connection", "Keep-Alive", "TE", "Transfer-Encoding", "Upgrade");

  /** Headers of the request that are not passed on as they came. */
  private static final Set<String> REPLACED =
      caseInsensitive("Host", "Content-Length", "traceparent", "X-Forwarded-For");

  private final RouteTable table;
  private final Tokens tokens;
  private final Optional<HttpClient> client;
  private final String basePath;
  private final int timeoutMs;

  private record Answer(HttpClientResponse response, Buffer body) {}

  Proxy(Vertx vertx, Config config, RouteTable table, Tokens tokens) {
    this.table = table;
    this.tokens = tokens;
    this.timeoutMs = config.upstreamTimeoutMs();
    this.client = config.upstream().map(upstream -> client(vertx, config, upstream));
    this.basePath = config.upstream().map(URI::getRawPath).orElse("").replaceFirst("/$", "");
  }

  private static HttpClient client(Vertx vertx, Config config, URI upstream) {
    var options =
        new HttpClientOptions()
            .setDefaultHost(upstream.getHost())
            .setDefaultPort(upstream.getPort() < 0 ? 80 : upstream.getPort())
            .setKeepAlive(config.upstreamPool())
            .setConnectTimeout(config.upstreamTimeoutMs());
    int connections = config.upstreamPool() ? config.upstreamPoolSize() : UNPOOLED_CONNECTIONS;
    return vertx
        .httpClientBuilder()
        .with(options)
        .with(new PoolOptions().setHttp1MaxSize(connections))
        // A connection that breaks fails its request, which answers 502; Vert.x would log it
        // besides.
        .withConnectHandler(connection -> connection.exceptionHandler(broken -> {}))
        .build();
  }

  void handle(Exchange exchange) {
    String target = exchange.target().substring(PREFIX);
    Route.Access access = table.service(service(target));
    if (access.token()) {
      tokens.require(exchange.header(HttpHeaders.AUTHORIZATION), access.scope());
    }
    exchange.receive(body -> forward(exchange, target, body));
  }

  /** The first segment of {@code /{service}/{rest}?{query}}. */
  private static String service(String target) {
    int end = 1;
    while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
      end++;
    }
    return target.substring(1, end);
  }

  private void forward(Exchange exchange, String target, Buffer body) {
    if (client.isEmpty()) {
      throw new Refusal(Problem.UPSTREAM_UNREACHABLE, "no upstream is configured");
    }
    boolean hasBody =
        exchange.headers().contains(HttpHeaders.CONTENT_LENGTH)
            || exchange.headers().contains(HttpHeaders.TRANSFER_ENCODING);
    client
        .get()
        .request(
            new RequestOptions()
                .setMethod(exchange.method())
                .setURI(basePath + target)
                .setHeaders(upstreamHeaders(exchange)))
        .compose(request -> send(request, hasBody, body))
        .onComplete(
            answer ->
                exchange.run(
                    () -> {
                      if (answer.failed()) {
                        throw refusal(answer.cause());
                      }
                      relay(exchange, answer.result());
                    }));
  }

  private Future<Answer> send(HttpClientRequest request, boolean hasBody, Buffer body) {
    return (hasBody ? request.send(body) : request.send())
        .compose(response -> response.body().map(whole -> new Answer(response, whole)))
        .timeout(timeoutMs, TimeUnit.MILLISECONDS)
        .onFailure(late -> request.reset());
  }

  private static Refusal refusal(Throwable cause) {
    return cause instanceof TimeoutException || cause instanceof ConnectTimeoutException
        ? new Refusal(Problem.UPSTREAM_TIMEOUT, "the upstream did not answer in time")
        : new Refusal(Problem.UPSTREAM_UNREACHABLE, "the upstream did not answer: " + cause);
  }

  private static MultiMap upstreamHeaders(Exchange exchange) {
    MultiMap received = exchange.headers();
    MultiMap headers = endToEnd(received);
    REPLACED.forEach(headers::remove);
    String forwardedFor = String.join(", ", received.getAll("X-Forwarded-For"));
    headers.set(
        "X-Forwarded-For",
        forwardedFor.isEmpty()
            ? exchange.clientAddress()
            : forwardedFor + ", " + exchange.clientAddress());
    headers.set("traceparent", exchange.trace().header());
    if (!exchange.trace().continued()) {
      headers.remove("tracestate");
    }
    return headers;
  }

  private static void relay(Exchange exchange, Answer answer) {
    MultiMap headers = endToEnd(answer.response.headers());
    // The answer to HEAD tells the length of a body that is not there.
    if (exchange.method() != HttpMethod.HEAD && answer.response.statusCode() != 304) {
      headers.remove(HttpHeaders.CONTENT_LENGTH);
    }
    exchange.relay(answer.response.statusCode(), headers, answer.body);
  }

  /** Everything but the hop-by-hop headers and those that Connection names (RFC 9110 §7.6.1). */
  private static MultiMap endToEnd(MultiMap received) {
    MultiMap headers = MultiMap.caseInsensitiveMultiMap();
    for (Map.Entry<String, String> header : received) {
      if (!HOP_BY_HOP.contains(header.getKey())) {
        headers.add(header.getKey(), header.getValue());
      }
    }
    for (String connection : received.getAll(HttpHeaders.CONNECTION)) {
      for (String name : connection.split(",")) {
        headers.remove(name.strip());
      }
    }
    return headers;
  }

  private static Set<String> caseInsensitive(String... names) {
    Set<String> set = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    set.addAll(java.util.List.of(names));
    return set;
  }
}
