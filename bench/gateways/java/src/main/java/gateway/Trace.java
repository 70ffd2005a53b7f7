package gateway;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The trace that a request belongs to, and this gateway's span in it (W3C Trace Context, level 1).
 *
 * @param continued whether the request brought a valid traceparent
 */
record Trace(String traceId, String spanId, String flags, boolean continued) {
  private static final HexFormat HEX = HexFormat.of();

  /** Where the fields of {@code 00-<32>-<16>-<2>} begin and end. */
  private static final int TRACE_ID = 3;

  private static final int PARENT_ID = 36;
  private static final int FLAGS = 53;
  private static final int END = 55;

  /** Continues the trace of a traceparent header, or begins a new one if it is null or invalid. */
  static Trace of(String traceparent) {
    if (traceparent != null && isValid(traceparent)) {
      return new Trace(
          traceparent.substring(TRACE_ID, PARENT_ID - 1),
          randomId(),
          traceparent.substring(FLAGS, END),
          true);
    }
    return new Trace(randomId() + randomId(), randomId(), "01", false);
  }

  /** The value of both traceresponse and, upstream, traceparent. */
  String header() {
    return "00-" + traceId + "-" + spanId + "-" + flags;
  }

  private static boolean isValid(String header) {
    if (header.length() < END
        || header.charAt(TRACE_ID - 1) != '-'
        || header.charAt(PARENT_ID - 1) != '-'
        || header.charAt(FLAGS - 1) != '-'
        || !isLowerHex(header, 0, TRACE_ID - 1)
        || !isLowerHex(header, TRACE_ID, PARENT_ID - 1)
        || !isLowerHex(header, PARENT_ID, FLAGS - 1)
        || !isLowerHex(header, FLAGS, END)
        || isZero(header, TRACE_ID, PARENT_ID - 1)
        || isZero(header, PARENT_ID, FLAGS - 1)
        || header.startsWith("ff")) {
      return false;
    }
    // Versions to come may add fields, and only at the end.
    return header.length() == END || !header.startsWith("00") && header.charAt(END) == '-';
  }

  private static boolean isLowerHex(String text, int from, int to) {
    for (int i = from; i < to; i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
        return false;
      }
    }
    return true;
  }

  private static boolean isZero(String text, int from, int to) {
    for (int i = from; i < to; i++) {
      if (text.charAt(i) != '0') {
        return false;
      }
    }
    return true;
  }

  private static String randomId() {
    // Never all zeros, which would be invalid.
    return HEX.toHexDigits(ThreadLocalRandom.current().nextLong() | 1);
  }
}
