package gateway;

/** Ends the handling of a request with one of the contract's errors. */
final class Refusal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  final Problem problem;

  Refusal(Problem problem, String message) {
    // Refusals are answers, not defects: nobody reads their stack traces.
    super(message, null, false, false);
    this.problem = problem;
  }
}
