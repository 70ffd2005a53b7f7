package gateway;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * One JSON object a line on standard output. A thread of its own writes them: a full pipe must not
 * stop an event loop.
 */
final class JsonLog implements AutoCloseable {
  enum Level {
    DEBUG(java.util.logging.Level.FINE),
    INFO(java.util.logging.Level.INFO),
    WARN(java.util.logging.Level.WARNING),
    ERROR(java.util.logging.Level.SEVERE);

    private final java.util.logging.Level jul;
    private final String text = name().toLowerCase(Locale.ROOT);

    Level(java.util.logging.Level jul) {
      this.jul = jul;
    }

    private static Level of(java.util.logging.Level jul) {
      Level found = DEBUG;
      for (Level level : values()) {
        if (jul.intValue() >= level.jul.intValue()) {
          found = level;
        }
      }
      return found;
    }
  }

  private final Level threshold;
  private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);
  private final ExecutorService writer =
      Executors.newSingleThreadExecutor(
          task -> {
            var thread = new Thread(task, "log");
            thread.setDaemon(true);
            return thread;
          });

  JsonLog(Level threshold) {
    this.threshold = threshold;
  }

  /** Sends what Vert.x and Netty log, through java.util.logging, to this log as well. */
  void adoptPlatformLogging() {
    LogManager.getLogManager().reset();
    Logger root = Logger.getLogger("");
    root.setLevel(threshold.jul);
    root.addHandler(
        new Handler() {
          @Override
          public void publish(LogRecord entry) {
            Level level = Level.of(entry.getLevel());
            Throwable thrown = entry.getThrown();
            if (thrown == null) {
              log(level, entry.getMessage(), "logger", entry.getLoggerName());
            } else {
              log(
                  level,
                  entry.getMessage(),
                  "logger",
                  entry.getLoggerName(),
                  "error",
                  thrown.toString());
            }
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        });
  }

  boolean enabled(Level level) {
    return level.compareTo(threshold) >= 0;
  }

  /** Writes a line if the level is enabled; {@code fields} are names and values in turn. */
  void log(Level level, String message, Object... fields) {
    if (enabled(level)) {
      always(level, message, fields);
    }
  }

  /** Writes a line whatever the level. */
  void always(Level level, String message, Object... fields) {
    byte[] line =
        Json.write(
            json -> {
              json.writeStartObject();
              json.writeStringField("ts", Instant.now().toString());
              json.writeStringField("level", level.text);
              json.writeStringField("msg", message);
              for (int i = 0; i < fields.length; i += 2) {
                json.writeFieldName((String) fields[i]);
                Json.write(json, fields[i + 1]);
              }
              json.writeEndObject();
              json.writeRaw('\n');
            });
    writer.execute(() -> print(line));
  }

  private void print(byte[] line) {
    try {
      out.write(line);
    } catch (IOException e) {
      // Nobody reads the log any more; the gateway serves on.
    }
  }

  /** Waits until what was logged has been written. */
  @Override
  public void close() {
    writer.shutdown();
    try {
      writer.awaitTermination(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
