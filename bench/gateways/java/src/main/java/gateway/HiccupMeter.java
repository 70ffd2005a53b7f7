package gateway;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Records when the process stood still (§11): a thread that asks to wake at steady instants notes
 * how late it woke. It allocates nothing while it runs: it would feed the collector it watches.
 */
final class HiccupMeter implements AutoCloseable {
  private static final String FILE = "hiccups.bin";
  private static final long RECORDED_NS = TimeUnit.MICROSECONDS.toNanos(50);
  private static final long COUNTED_EVERY_NS = TimeUnit.SECONDS.toNanos(1);

  /** In the place of a lateness: the record is no hiccup but counts wakes. */
  private static final long COUNT = -1;

  private static final int RECORD_BYTES = 3 * Long.BYTES;

  /** Hiccups of a second, at the default period; of shorter ones, more are written in between. */
  private static final int RECORDS = 1_024;

  private final FileChannel file;
  private final ByteBuffer records =
      ByteBuffer.allocateDirect(RECORDS * RECORD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final long periodNs;
  private final JsonLog log;
  private final Thread thread = new Thread(this::run, "hiccups");

  private volatile boolean closing;
  private long wakes;
  private long countedNs;

  private HiccupMeter(FileChannel file, long periodNs, JsonLog log) {
    this.file = file;
    this.periodNs = periodNs;
    this.log = log;
  }

  /** Starts the meter; its file is there, with its first record, when this returns. */
  static HiccupMeter start(Path folder, int periodUs, JsonLog log) throws IOException {
    FileChannel file =
        FileChannel.open(
            folder.resolve(FILE),
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE);
    var meter = new HiccupMeter(file, TimeUnit.MICROSECONDS.toNanos(periodUs), log);
    meter.count(System.nanoTime());
    meter.thread.setDaemon(true);
    meter.thread.start();
    return meter;
  }

  /** Has the last record written; waits for it no longer than the end of the process can. */
  @Override
  public void close() {
    closing = true;
    LockSupport.unpark(thread);
    try {
      thread.join(TimeUnit.SECONDS.toMillis(1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    askForLeastTimerSlack();
    try (file;
        var runDelay = RunDelay.ofThisThread()) {
      measure(runDelay);
      count(System.nanoTime());
    } catch (IOException e) {
      log.log(JsonLog.Level.ERROR, "the hiccup meter ended: " + e);
    }
  }

  private void measure(RunDelay runDelay) throws IOException {
    long due = System.nanoTime() + periodNs;
    while (sleepUntil(due)) {
      long now = System.nanoTime();
      long runDelayNs = runDelay.sinceLastNs();
      wakes++;
      if (now - due >= RECORDED_NS) {
        record(due, now - due, runDelayNs);
      }
      if (now - countedNs >= COUNTED_EVERY_NS) {
        count(now);
      }
      due += (Math.max(0, now - due) / periodNs + 1) * periodNs;
    }
  }

  /** Gives whether the instant came; false when the meter is told to end before. */
  private boolean sleepUntil(long due) {
    long left = due - System.nanoTime();
    while (left > 0 && !closing) {
      LockSupport.parkNanos(left);
      left = due - System.nanoTime();
    }
    return !closing;
  }

  private void count(long now) throws IOException {
    record(now, COUNT, wakes);
    write();
    wakes = 0;
    countedNs = now;
  }

  private void record(long dueNs, long lateNs, long third) throws IOException {
    if (records.remaining() < RECORD_BYTES) {
      write();
    }
    records.putLong(dueNs).putLong(lateNs).putLong(third);
  }

  private void write() throws IOException {
    records.flip();
    while (records.hasRemaining()) {
      file.write(records);
    }
    records.clear();
  }

  /** The kernel may otherwise wake a thread 50 µs late, so as to wake several at once. */
  private static void askForLeastTimerSlack() {
    try {
      Path threadId = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName();
      Files.writeString(
          Path.of("/proc").resolve(threadId).resolve("timerslack_ns"),
          "1",
          StandardOpenOption.WRITE);
    } catch (IOException e) {
      // Not everywhere may a thread ask for it; the meter is less exact then, and its record shows
      // that.
    }
  }
}
