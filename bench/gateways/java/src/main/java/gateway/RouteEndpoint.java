package gateway;

import gateway.Route.Piece;
import gateway.Route.Segment;
import io.vertx.core.http.HttpHeaders;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** {@code POST /route}: parse, match, transform, answer (§3 to §5). */
final class RouteEndpoint {
  private static final Set<String> METHODS = Set.of("GET", "POST", "PUT", "PATCH", "DELETE");

  private final RouteTable table;
  private final Tokens tokens;
  private final LiveSet liveSet;

  RouteEndpoint(RouteTable table, Tokens tokens, LiveSet liveSet) {
    this.table = table;
    this.tokens = tokens;
    this.liveSet = liveSet;
  }

  void handle(Exchange exchange) {
    if (!isJson(exchange.header(HttpHeaders.CONTENT_TYPE))) {
      throw new Refusal(Problem.UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json");
    }
    exchange.receive(body -> answer(exchange, body.getBytes()));
  }

  private static boolean isJson(String contentType) {
    if (contentType == null) {
      return false;
    }
    int parameters = contentType.indexOf(';');
    String type = parameters < 0 ? contentType : contentType.substring(0, parameters);
    return type.strip().equalsIgnoreCase("application/json");
  }

  private void answer(Exchange exchange, byte[] body) {
    try {
      byte[] answer = answer(Request.of(Json.parse(body)), exchange);
      liveSet.replaceOne();
      exchange.answer(200, answer);
    } catch (IOException | UncheckedIOException e) {
      throw new Refusal(Problem.INVALID_JSON, "body is not one JSON text in UTF-8");
    }
  }

  private byte[] answer(Request request, Exchange exchange) {
    List<String> segments = PathSegments.of(request.path);
    Route route = table.match(segments, request.method);
    String subject =
        route.access().token()
            ? tokens.require(exchange.header(HttpHeaders.AUTHORIZATION), route.access().scope())
            : null;
    return Json.write(
        out -> {
          out.writeStartObject();
          out.writeStringField("route", route.id());
          out.writeStringField("service", route.service());
          out.writeStringField("upstream_path", upstreamPath(route, segments, request.query));
          out.writeObjectFieldStart("params");
          for (int i = 0; i < route.pattern().size(); i++) {
            Segment segment = route.pattern().get(i);
            if (segment.kind() == Segment.Kind.ONE) {
              out.writeStringField(segment.text(), segments.get(i));
            } else if (segment.kind() == Segment.Kind.REST) {
              out.writeStringField(
                  segment.text(), String.join("/", segments.subList(i, segments.size())));
            }
          }
          out.writeEndObject();
          out.writeStringField("subject", subject);
          out.writeFieldName("payload");
          Json.write(
              out, request.payload == null ? null : route.transform().apply(request.payload));
          out.writeEndObject();
        });
  }

  private static String upstreamPath(Route route, List<String> segments, String query) {
    var path = new StringBuilder(64);
    for (Piece piece : route.rewrite()) {
      if (piece.text() != null) {
        path.append(piece.text());
      } else if (route.pattern().get(piece.parameter()).kind() == Segment.Kind.ONE) {
        PathSegments.encode(segments.get(piece.parameter()), path);
      } else {
        for (int i = piece.parameter(); i < segments.size(); i++) {
          if (i > piece.parameter()) {
            path.append('/');
          }
          PathSegments.encode(segments.get(i), path);
        }
      }
    }
    return path.append(query).toString();
  }

  /** The body; {@code query} begins with its question mark, or is empty. */
  private record Request(String path, String query, String method, Map<String, Object> payload) {

    @SuppressWarnings("unchecked")
    static Request of(Object body) {
      if (!(body instanceof Map<?, ?> members)) {
        throw new Refusal(Problem.INVALID_REQUEST, "body must be an object");
      }
      if (!(members.get("path") instanceof String target) || !target.startsWith("/")) {
        throw new Refusal(Problem.INVALID_REQUEST, "path must be a string that begins with /");
      }
      Object method = members.containsKey("method") ? members.get("method") : "GET";
      if (!(method instanceof String name) || !METHODS.contains(name)) {
        throw new Refusal(
            Problem.INVALID_REQUEST, "method must be GET, POST, PUT, PATCH or DELETE");
      }
      Object payload = members.get("payload");
      if (payload != null && !(payload instanceof Map<?, ?>)) {
        throw new Refusal(Problem.INVALID_REQUEST, "payload must be an object or null");
      }
      int mark = target.indexOf('?');
      return new Request(
          mark < 0 ? target : target.substring(0, mark),
          mark < 0 ? "" : target.substring(mark),
          name,
          (Map<String, Object>) payload);
    }
  }
}
