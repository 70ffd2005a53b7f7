package gateway;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON texts as plain values: {@code Map}, {@code List}, {@code String}, {@link Number}, {@code
 * Boolean} and null.
 */
final class Json {
  /** Levels that a text may nest; one more is malformed. */
  private static final int MAX_NESTING = 127;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              // The body limit bounds everything but the depth.
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_NESTING)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .build())
          // Names are the clients': interning them, or refusing some for their hash, is not ours.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
          .enable(
              com.fasterxml.jackson.core.json.JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
          .build();

  private Json() {}

  /** A number as it was written, so that it goes out as it came in. */
  record Number(String text) {
    double value() {
      return Double.parseDouble(text);
    }
  }

  /** Writes one JSON text. */
  interface Writing {
    void to(JsonGenerator out) throws IOException;
  }

  /**
   * Parses one JSON text in UTF-8. Of duplicate members the last one counts.
   *
   * @throws IOException if the bytes are anything else, or nest deeper than 127 levels
   */
  static Object parse(byte[] utf8) throws IOException {
    // Decoded first, because Jackson would guess at UTF-16 and lets some malformed UTF-8 pass.
    CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8));
    try (JsonParser in = FACTORY.createParser(text.array(), text.arrayOffset(), text.length())) {
      if (in.nextToken() == null) {
        throw new JsonParseException(in, "there is no JSON text");
      }
      Object value = value(in);
      if (in.nextToken() != null) {
        throw new JsonParseException(in, "something follows the JSON text");
      }
      return value;
    }
  }

  private static Object value(JsonParser in) throws IOException {
    return switch (in.currentToken()) {
      case START_OBJECT -> {
        Map<String, Object> members = new LinkedHashMap<>();
        for (String name = in.nextFieldName(); name != null; name = in.nextFieldName()) {
          in.nextToken();
          members.put(name, value(in));
        }
        yield members;
      }
      case START_ARRAY -> {
        List<Object> elements = new ArrayList<>();
        while (in.nextToken() != JsonToken.END_ARRAY) {
          elements.add(value(in));
        }
        yield elements;
      }
      case VALUE_STRING -> in.getText();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Number(in.getText());
      case VALUE_TRUE -> Boolean.TRUE;
      case VALUE_FALSE -> Boolean.FALSE;
      case VALUE_NULL -> null;
      default -> throw new JsonParseException(in, "unexpected " + in.currentToken());
    };
  }

  /**
   * Writes one JSON text in UTF-8.
   *
   * @throws UncheckedIOException if a string holds an unpaired surrogate
   */
  static byte[] write(Writing writing) {
    try (var bytes = new ByteArrayBuilder(512)) {
      try (JsonGenerator out = FACTORY.createGenerator(bytes)) {
        writing.to(out);
      }
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a value of the kinds that {@link #parse} gives, or an integer. */
  static void write(JsonGenerator out, Object value) throws IOException {
    if (value == null) {
      out.writeNull();
    } else if (value instanceof String text) {
      out.writeString(text);
    } else if (value instanceof Number number) {
      out.writeNumber(number.text());
    } else if (value instanceof Map<?, ?> members) {
      out.writeStartObject();
      for (Map.Entry<?, ?> member : members.entrySet()) {
        out.writeFieldName((String) member.getKey());
        write(out, member.getValue());
      }
      out.writeEndObject();
    } else if (value instanceof Iterable<?> elements) {
      out.writeStartArray();
      for (Object element : elements) {
        write(out, element);
      }
      out.writeEndArray();
    } else if (value instanceof Boolean truth) {
      out.writeBoolean(truth);
    } else if (value instanceof Long || value instanceof Integer) {
      out.writeNumber(((java.lang.Number) value).longValue());
    } else {
      throw new IllegalArgumentException("not a JSON value: " + value.getClass());
    }
  }
}
