package gateway;

import gateway.Route.Access;
import gateway.Route.Piece;
import gateway.Route.Segment;
import gateway.Route.Transform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** {@code routes.json}: the services, and the routes as a tree of their patterns' segments. */
final class RouteTable {
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^{}.]+)(\\.\\.\\.)?\\}");

  private final Map<String, Access> services = new HashMap<>();
  private final Node root = new Node();

  /** Where patterns that begin alike part; the maps at the end of a pattern are by method. */
  private static final class Node {
    final Map<String, Node> literals = new HashMap<>();
    final Map<String, Route> ends = new HashMap<>();
    final Map<String, Route> rests = new HashMap<>();
    Node one;

    Route find(List<String> segments, int at, String method) {
      if (at == segments.size()) {
        return ends.get(method);
      }
      String segment = segments.get(at);
      Node literal = literals.get(segment);
      Route found = literal == null ? null : literal.find(segments, at + 1, method);
      if (found == null && one != null && !segment.isEmpty()) {
        found = one.find(segments, at + 1, method);
      }
      return found == null ? rests.get(method) : found;
    }
  }

  /**
   * Reads a table.
   *
   * @throws IOException if the file cannot be read, or is not a routing table
   */
  static RouteTable read(Path file) throws IOException {
    try {
      return new RouteTable(object(Json.parse(Files.readAllBytes(file))));
    } catch (ClassCastException | IllegalArgumentException | NullPointerException e) {
      throw new IOException("not a routing table: " + e.getMessage(), e);
    }
  }

  private RouteTable(Map<String, Object> table) {
    object(table.get("services")).forEach((name, it) -> services.put(name, access(object(it))));
    for (Object route : (List<?>) table.get("routes")) {
      add(route(object(route)));
    }
  }

  private void add(Route route) {
    Node node = root;
    for (Segment segment : route.pattern()) {
      switch (segment.kind()) {
        case LITERAL -> node = node.literals.computeIfAbsent(segment.text(), text -> new Node());
        case ONE -> node = node.one = node.one == null ? new Node() : node.one;
        case REST -> {
          node.rests.put(route.method(), route);
          return;
        }
      }
    }
    node.ends.put(route.method(), route);
  }

  /**
   * Finds the route for the decoded segments of a path.
   *
   * @throws Refusal if none matches
   */
  Route match(List<String> segments, String method) {
    Route route = root.find(segments, 0, method);
    if (route == null) {
      throw new Refusal(Problem.NO_ROUTE, "no route for this method and path");
    }
    return route;
  }

  /**
   * Says what a token must bring for a service.
   *
   * @throws Refusal if the table does not name it
   */
  Access service(String name) {
    Access access = services.get(name);
    if (access == null) {
      throw new Refusal(Problem.UNKNOWN_SERVICE, "no service of this name");
    }
    return access;
  }

  private static Route route(Map<String, Object> route) {
    String pattern = (String) route.get("pattern");
    List<Segment> segments = new ArrayList<>();
    for (String segment : pattern.substring(1).split("/", -1)) {
      segments.add(Segment.of(segment));
    }
    return new Route(
        (String) route.get("id"),
        (String) route.get("method"),
        segments,
        (String) route.get("service"),
        pieces((String) route.get("rewrite"), segments),
        access(route),
        transform(object(route.get("transform"))));
  }

  private static List<Piece> pieces(String rewrite, List<Segment> pattern) {
    List<String> names =
        pattern.stream()
            .map(it -> it.kind() == Segment.Kind.LITERAL ? null : it.text())
            .collect(Collectors.toCollection(ArrayList::new));
    List<Piece> pieces = new ArrayList<>();
    int end = 0;
    for (MatchResult placeholder : PLACEHOLDER.matcher(rewrite).results().toList()) {
      pieces.add(new Piece(rewrite.substring(end, placeholder.start()), -1));
      int parameter = names.indexOf(placeholder.group(1));
      if (parameter < 0) {
        throw new IllegalArgumentException("the pattern does not have " + placeholder.group());
      }
      pieces.add(new Piece(null, parameter));
      end = placeholder.end();
    }
    pieces.add(new Piece(rewrite.substring(end), -1));
    return pieces;
  }

  private static Access access(Map<String, Object> entry) {
    return new Access("jwt".equals(entry.get("auth")), (String) entry.get("scope"));
  }

  private static Transform transform(Map<String, Object> transform) {
    Map<String, String> rename = new HashMap<>();
    object(transform.get("rename")).forEach((from, to) -> rename.put(from, (String) to));
    Set<String> remove =
        ((List<?>) transform.get("remove"))
            .stream().map(String.class::cast).collect(Collectors.toSet());
    return new Transform(remove, rename, object(transform.get("set")));
  }

  // What Json.parse gives for an object has strings for keys.
  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Object value) {
    return (Map<String, Object>) value;
  }
}
