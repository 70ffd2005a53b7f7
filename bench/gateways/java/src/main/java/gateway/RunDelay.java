package gateway;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The time that a thread was ready to run and waited for a processor, as the kernel counts it. */
final class RunDelay implements AutoCloseable {
  private static final long UNKNOWN = -1;

  /** Three numbers of at most twenty digits each. */
  private static final int MOST_BYTES = 64;

  /** Null where the kernel does not tell. */
  private final FileChannel schedstat;

  private final ByteBuffer text = ByteBuffer.allocateDirect(MOST_BYTES);
  private long lastNs;

  private RunDelay(FileChannel schedstat) {
    this.schedstat = schedstat;
    lastNs = totalNs();
  }

  /** The meter of the thread that calls this, whichever thread reads it later. */
  static RunDelay ofThisThread() {
    FileChannel schedstat;
    try {
      schedstat = FileChannel.open(Path.of("/proc/thread-self/schedstat"), StandardOpenOption.READ);
    } catch (IOException e) {
      schedstat = null;
    }
    return new RunDelay(schedstat);
  }

  /** Nanoseconds since this was last asked; -1 where the kernel does not tell. */
  long sinceLastNs() {
    long total = totalNs();
    long since = total == UNKNOWN || lastNs == UNKNOWN ? UNKNOWN : total - lastNs;
    lastNs = total;
    return since;
  }

  /** The second of the file's numbers. */
  private long totalNs() {
    if (!read()) {
      return UNKNOWN;
    }
    int at = 0;
    while (at < text.limit() && text.get(at) != ' ') {
      at++;
    }
    long total = 0;
    int first = ++at;
    while (at < text.limit() && text.get(at) >= '0' && text.get(at) <= '9') {
      total = 10 * total + text.get(at) - '0';
      at++;
    }
    return at > first ? total : UNKNOWN;
  }

  private boolean read() {
    if (schedstat == null) {
      return false;
    }
    text.clear();
    try {
      schedstat.read(text, 0);
    } catch (IOException e) {
      return false;
    }
    text.flip();
    return true;
  }

  @Override
  public void close() throws IOException {
    if (schedstat != null) {
      schedstat.close();
    }
  }
}
