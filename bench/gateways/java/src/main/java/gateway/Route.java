package gateway;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** A route of the table, with its pattern and its rewriting taken apart beforehand. */
record Route(
    String id,
    String method,
    List<Segment> pattern,
    String service,
    List<Piece> rewrite,
    Access access,
    Transform transform) {

  /** What a token must bring: {@code scope} is null where any token that holds will do. */
  record Access(boolean token, String scope) {}

  /** A segment of a pattern: a literal, or a parameter that takes one segment or all the rest. */
  record Segment(Kind kind, String text) {
    enum Kind {
      LITERAL,
      ONE,
      REST
    }

    static Segment of(String text) {
      if (!text.startsWith("{") || !text.endsWith("}")) {
        return new Segment(Kind.LITERAL, text);
      }
      return text.endsWith("...}")
          ? new Segment(Kind.REST, text.substring(1, text.length() - 4))
          : new Segment(Kind.ONE, text.substring(1, text.length() - 1));
    }
  }

  /** A piece of a rewriting: literal text, or the value of the parameter at an index. */
  record Piece(String text, int parameter) {}

  /** The payload's changes, on the top level only. */
  record Transform(Set<String> remove, Map<String, String> rename, Map<String, Object> set) {
    Map<String, Object> apply(Map<String, Object> payload) {
      Map<String, Object> changed = new java.util.LinkedHashMap<>(payload);
      // In this order: what is set wins over what is renamed, and that over what was there.
      changed.keySet().removeAll(remove);
      changed.keySet().removeAll(rename.keySet());
      rename.forEach(
          (from, to) -> {
            if (payload.containsKey(from) && !remove.contains(from)) {
              changed.put(to, payload.get(from));
            }
          });
      changed.putAll(set);
      return changed;
    }
  }
}
