package gateway;

/** The errors of the contract: status and code of each. */
enum Problem {
  INVALID_JSON(400),
  INVALID_REQUEST(400),
  MISSING_TOKEN(401),
  INVALID_TOKEN(401),
  EXPIRED_TOKEN(401),
  INSUFFICIENT_SCOPE(403),
  NO_ROUTE(404),
  UNKNOWN_SERVICE(404),
  NOT_FOUND(404),
  METHOD_NOT_ALLOWED(405),
  REQUEST_TIMEOUT(408),
  BODY_TOO_LARGE(413),
  UNSUPPORTED_MEDIA_TYPE(415),
  /** Not in the contract: a defect of the gateway, answered rather than left hanging. */
  INTERNAL_ERROR(500),
  UNKNOWN_METHOD(501),
  UPSTREAM_UNREACHABLE(502),
  DRAINING(503),
  UPSTREAM_TIMEOUT(504);

  final int status;
  final String code;

  Problem(int status) {
    this.status = status;
    this.code = name().toLowerCase(java.util.Locale.ROOT);
  }
}
