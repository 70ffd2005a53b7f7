package gateway;

/** The endpoints as metrics know them. */
enum Endpoint {
  ROUTE("/route", "POST"),
  PROXY("/proxy", "GET, HEAD, POST, PUT, PATCH, DELETE"),
  HEALTHZ("/healthz", "GET, HEAD"),
  READYZ("/readyz", "GET, HEAD"),
  INFO("/info", "GET, HEAD"),
  METRICS("/metrics", "GET, HEAD"),
  /** Faults, truth, and whatever does not exist. */
  OTHER("other", "");

  /** The value of the label {@code endpoint}. */
  final String label;

  /** The methods allowed, as the header {@code Allow} lists them. */
  final String allow;

  Endpoint(String label, String allow) {
    this.label = label;
    this.allow = allow;
  }

  static Endpoint of(String path) {
    return switch (path) {
      case "/route" -> ROUTE;
      case "/healthz" -> HEALTHZ;
      case "/readyz" -> READYZ;
      case "/info" -> INFO;
      case "/metrics" -> METRICS;
      default -> path.startsWith("/proxy/") ? PROXY : OTHER;
    };
  }
}
