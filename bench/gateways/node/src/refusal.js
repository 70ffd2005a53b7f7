/** Every error code of the contract (§2) with its status. */
const STATUS = {
  invalid_json: 400,
  invalid_request: 400,
  missing_token: 401,
  invalid_token: 401,
  expired_token: 401,
  insufficient_scope: 403,
  no_route: 404,
  unknown_service: 404,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  body_too_large: 413,
  unsupported_media_type: 415,
  internal_error: 500,
  unknown_method: 501,
  not_exposed: 501,
  upstream_unreachable: 502,
  draining: 503,
  upstream_timeout: 504,
};

/** A request that is answered with an error. */
export class Refusal extends Error {
  /**
   * @param {keyof typeof STATUS} code
   * @param {string} message a sentence for people
   * @param {Record<string, string>} [headers] more headers of the answer
   */
  constructor(code, message, headers) {
    super(message);
    this.code = code;
    this.statusCode = STATUS[code];
    this.headers =
      this.statusCode === 401
        ? { "www-authenticate": "Bearer", ...headers }
        : headers;
  }

  /** @returns {string} body of the answer */
  toText() {
    return JSON.stringify({ error: this.code, message: this.message });
  }
}
