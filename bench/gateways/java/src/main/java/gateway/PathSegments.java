package gateway;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Paths to decoded segments, and values back to percent-encoded text. */
final class PathSegments {
  private static final HexFormat UPPER_HEX = HexFormat.of().withUpperCase();

  private PathSegments() {}

  /** Splits a path that begins with {@code /} and decodes each segment. */
  static List<String> of(String path) {
    List<String> segments = new ArrayList<>(8);
    int start = 1;
    for (int slash; (slash = path.indexOf('/', start)) >= 0; start = slash + 1) {
      segments.add(decode(path.substring(start, slash)));
    }
    segments.add(decode(path.substring(start)));
    return segments;
  }

  private static String decode(String segment) {
    String decoded = segment.indexOf('%') < 0 ? segment : unescape(segment);
    if (decoded.equals(".") || decoded.equals("..")) {
      throw new Refusal(Problem.INVALID_REQUEST, "path has a segment . or ..");
    }
    return decoded;
  }

  private static String unescape(String segment) {
    byte[] bytes = segment.getBytes(StandardCharsets.UTF_8);
    var decoded = new ByteArrayOutputStream(bytes.length);
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] != '%') {
        decoded.write(bytes[i]);
      } else if (i + 2 < bytes.length
          && HexFormat.isHexDigit(bytes[i + 1])
          && HexFormat.isHexDigit(bytes[i + 2])) {
        decoded.write(
            HexFormat.fromHexDigit(bytes[i + 1]) << 4 | HexFormat.fromHexDigit(bytes[i + 2]));
        i += 2;
      } else {
        throw new Refusal(Problem.INVALID_REQUEST, "path has a bad percent escape");
      }
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(decoded.toByteArray()))
          .toString();
    } catch (CharacterCodingException e) {
      throw new Refusal(Problem.INVALID_REQUEST, "path has a segment that is not UTF-8");
    }
  }

  /** Appends {@code value}, every byte of its UTF-8 escaped except the unreserved ones. */
  static void encode(String value, StringBuilder out) {
    for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
      if (isUnreserved(b)) {
        out.append((char) b);
      } else {
        out.append('%');
        UPPER_HEX.toHexDigits(out, b);
      }
    }
  }

  private static boolean isUnreserved(byte b) {
    return b >= 'a' && b <= 'z'
        || b >= 'A' && b <= 'Z'
        || b >= '0' && b <= '9'
        || b == '-'
        || b == '.'
        || b == '_'
        || b == '~';
  }
}
