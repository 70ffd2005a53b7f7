package gateway;

import io.vertx.core.Future;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.function.Consumer;

/** A request and its one answer; everything that every answer has in common is here. */
final class Exchange {
  private static final CharSequence JSON = HttpHeaders.createOptimized("application/json");
  private static final CharSequence TRACEPARENT = HttpHeaders.createOptimized("traceparent");
  private static final CharSequence TRACERESPONSE = HttpHeaders.createOptimized("traceresponse");
  private static final CharSequence WWW_AUTHENTICATE =
      HttpHeaders.createOptimized("www-authenticate");
  private static final CharSequence BEARER = HttpHeaders.createOptimized("Bearer");

  private final Gateway gateway;
  private final HttpServerRequest request;
  private final HttpServerResponse response;
  private final long startNs = System.nanoTime();
  private final String path;
  private final Endpoint endpoint;
  private final Trace trace;
  private final Buffer body = Buffer.buffer();
  private boolean lastOnConnection;

  Exchange(Gateway gateway, HttpServerRequest request) {
    this.gateway = gateway;
    this.request = request;
    this.response = request.response();
    this.path = request.path() == null ? "" : request.path();
    this.endpoint = Endpoint.of(path);
    this.trace = Trace.of(header(TRACEPARENT));
    // A connection that breaks leaves nobody to answer.
    request.exceptionHandler(broken -> {});
  }

  Endpoint endpoint() {
    return endpoint;
  }

  HttpMethod method() {
    return request.method();
  }

  String path() {
    return path;
  }

  /** The path and query as they were sent, whether or not a scheme and host came before them. */
  String target() {
    String uri = request.uri();
    return uri.startsWith("/") ? uri : uri.substring(uri.indexOf('/', uri.indexOf("://") + 3));
  }

  Trace trace() {
    return trace;
  }

  MultiMap headers() {
    return request.headers();
  }

  String header(CharSequence name) {
    return request.getHeader(name);
  }

  /** The value of a query parameter, or null. */
  String parameter(String name) {
    return request.getParam(name);
  }

  String clientAddress() {
    return request.remoteAddress().hostAddress();
  }

  /** Takes a step of the handling; whatever it throws becomes the answer. */
  void run(Runnable step) {
    try {
      step.run();
    } catch (Refusal refusal) {
      refuse(refusal.problem, refusal.getMessage());
    } catch (RuntimeException e) {
      gateway.log().log(JsonLog.Level.ERROR, "request failed", "path", path, "error", e.toString());
      refuse(Problem.INTERNAL_ERROR, "the gateway failed");
    }
  }

  /**
   * Hands the whole body on when it has arrived.
   *
   * @throws Refusal if Content-Length is over the limit
   */
  void receive(Consumer<Buffer> whole) {
    long limit = gateway.config().bodyLimit();
    String length = header(HttpHeaders.CONTENT_LENGTH);
    if (length != null && Long.parseLong(length) > limit) {
      lastOnConnection = true;
      throw new Refusal(Problem.BODY_TOO_LARGE, "body is larger than " + limit + " bytes");
    }
    if (headers().contains(HttpHeaders.EXPECT, "100-continue", true)) {
      response.writeContinue();
    }
    request.handler(
        chunk -> {
          if (response.ended()) {
            return;
          }
          body.appendBuffer(chunk);
          if (body.length() > limit) {
            lastOnConnection = true;
            refuse(Problem.BODY_TOO_LARGE, "body is larger than " + limit + " bytes");
          }
        });
    request.endHandler(
        end -> {
          if (!response.ended()) {
            run(() -> whole.accept(body));
          }
        });
  }

  /** The time for the body is over. */
  void bodyIsLate() {
    if (response.ended()) {
      request.connection().close();
      return;
    }
    lastOnConnection = true;
    // Where this body is complete, it is the next request's that is late: close after the answer.
    if (!request.isEnded()) {
      refuse(Problem.REQUEST_TIMEOUT, "the body did not arrive in time");
      request.connection().close();
    }
  }

  /** Refuses a request whose rest cannot be told from the next one. */
  void refuseAndClose(Problem problem, String message) {
    lastOnConnection = true;
    refuse(problem, message);
  }

  private void refuse(Problem problem, String message) {
    if (problem.status == 401) {
      response.putHeader(WWW_AUTHENTICATE, BEARER);
    }
    answer(
        problem.status,
        Json.write(
            out -> {
              out.writeStartObject();
              out.writeStringField("error", problem.code);
              out.writeStringField("message", message);
              out.writeEndObject();
            }));
  }

  /** Refuses the method of an endpoint that has others. */
  void refuseMethod(String allow) {
    response.putHeader(HttpHeaders.ALLOW, allow);
    refuse(Problem.METHOD_NOT_ALLOWED, "allowed here: " + allow);
  }

  void answer(int status, byte[] json) {
    answer(status, JSON, json);
  }

  void answer(int status, CharSequence contentType, byte[] body) {
    response.putHeader(HttpHeaders.CONTENT_TYPE, contentType);
    response.putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(body.length));
    send(status, Buffer.buffer(body));
  }

  /** Answers with what an upstream answered. */
  void relay(int status, MultiMap headers, Buffer body) {
    response.headers().addAll(headers);
    send(status, body);
  }

  private void send(int status, Buffer body) {
    if (response.ended() || response.closed()) {
      return;
    }
    boolean last = lastOnConnection || gateway.drain().isClosing();
    if (last) {
      response.putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
    }
    response.setStatusCode(status).putHeader(TRACERESPONSE, trace.header());
    Future<Void> handed = method() == HttpMethod.HEAD ? response.end() : response.end(body);
    if (last) {
      handed.onComplete(sent -> closeOnceRead());
    }
    long durationNs = System.nanoTime() - startNs;
    gateway.metrics().count(endpoint, status, durationNs);
    if (gateway.log().enabled(JsonLog.Level.INFO)) {
      gateway.log().log(
          JsonLog.Level.INFO,
          "request",
          "method",
          method().name(),
          "path",
          path,
          "status",
          status,
          "duration_us",
          durationNs / 1_000,
          "trace_id",
          trace.traceId(),
          "span_id",
          trace.spanId());
    }
  }

  /**
   * Closes the connection, but not before the body is through: closing on a client that still sends
   * resets the connection, and the client never sees the answer.
   */
  private void closeOnceRead() {
    if (request.isEnded()) {
      request.connection().close();
    } else {
      request.endHandler(end -> request.connection().close());
    }
  }
}
