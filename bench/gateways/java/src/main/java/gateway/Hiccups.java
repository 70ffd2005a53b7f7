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
 * The hiccup meter (§11): a thread that asks to wake at steady instants and writes down how late it
 * did. It allocates nothing while it runs: it would feed the collector that it watches.
 */
final class Hiccups {
  private static final long RECORDED_NS = 50_000;
  private static final long COUNT_EVERY_NS = TimeUnit.SECONDS.toNanos(1);
  private static final long END_WITHIN_MS = 1_000;
  private static final int RECORD_BYTES = 3 * Long.BYTES;
  private static final long UNKNOWN = -1;

  /** In place of a lateness: the record is a count of wakes. */
  private static final long COUNT = -1;

  private final FileChannel file;
  private final JsonLog log;
  private final long periodNs;
  private final Thread thread;
  private final ByteBuffer records =
      ByteBuffer.allocateDirect(4_096 * RECORD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final ByteBuffer schedstat = ByteBuffer.allocateDirect(128);

  /** Of the meter's own thread; null where the kernel does not tell. */
  private FileChannel schedstatFile;

  private volatile boolean ending;

  private Hiccups(FileChannel file, int periodUs, JsonLog log) {
    this.file = file;
    this.log = log;
    this.periodNs = TimeUnit.MICROSECONDS.toNanos(periodUs);
    this.thread = new Thread(this::run, "hiccups");
  }

  /**
   * Starts the meter.
   *
   * @throws IOException if its record cannot be written
   */
  static Hiccups start(Path folder, int periodUs, JsonLog log) throws IOException {
    FileChannel file =
        FileChannel.open(
            folder.resolve("hiccups.bin"),
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE);
    var hiccups = new Hiccups(file, periodUs, log);
    hiccups.thread.start();
    return hiccups;
  }

  /** Ends the meter with its last record written. */
  void stop() {
    ending = true;
    LockSupport.unpark(thread);
    try {
      thread.join(END_WITHIN_MS);
    } catch (InterruptedException e) {
      throw new IllegalStateException("nothing interrupts the end", e);
    }
  }

  private void run() {
    try {
      prepare();
      watch();
      file.close();
    } catch (IOException e) {
      log.log(JsonLog.Level.ERROR, "the hiccup meter ends: " + e);
    }
  }

  /** Asks for the kernel's promptest timer, and opens what tells of this thread's waiting. */
  private void prepare() {
    try {
      Path task = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName();
      Files.writeString(Path.of("/proc", task.toString(), "timerslack_ns"), "1");
    } catch (IOException e) {
      log.log(JsonLog.Level.DEBUG, "the hiccup meter keeps its timer slack: " + e);
    }
    try {
      schedstatFile = FileChannel.open(Path.of("/proc/thread-self/schedstat"));
    } catch (IOException e) {
      log.log(JsonLog.Level.DEBUG, "the kernel does not tell run delays: " + e);
    }
  }

  private void watch() throws IOException {
    long now = System.nanoTime();
    long countAt = now + COUNT_EVERY_NS;
    long due = now + periodNs;
    long wakes = 0;
    long delayBefore = runDelayNs();
    add(now, COUNT, 0);
    hand();
    while (true) {
      for (now = System.nanoTime(); now - due < 0 && !ending; now = System.nanoTime()) {
        LockSupport.parkNanos(due - now);
      }
      if (ending) {
        add(now, COUNT, wakes);
        hand();
        return;
      }
      wakes++;
      long delay = runDelayNs();
      if (now - due >= RECORDED_NS) {
        boolean known = delay != UNKNOWN && delayBefore != UNKNOWN;
        add(due, now - due, known ? delay - delayBefore : UNKNOWN);
      }
      delayBefore = delay;
      if (now - countAt >= 0) {
        add(now, COUNT, wakes);
        hand();
        wakes = 0;
        countAt = now + COUNT_EVERY_NS;
      }
      // What was slept through is skipped: the analysis knows that whoever came then waited as
      // well.
      due += ((now - due) / periodNs + 1) * periodNs;
    }
  }

  private void add(long dueNs, long lateNs, long third) throws IOException {
    if (records.remaining() < RECORD_BYTES) {
      hand();
    }
    records.putLong(dueNs).putLong(lateNs).putLong(third);
  }

  private void hand() throws IOException {
    records.flip();
    while (records.hasRemaining()) {
      file.write(records);
    }
    records.clear();
  }

  /** How long this thread has been ready to run and waited: the second number of its schedstat. */
  private long runDelayNs() {
    if (schedstatFile == null) {
      return UNKNOWN;
    }
    try {
      schedstat.clear();
      int length = schedstatFile.read(schedstat, 0);
      if (length <= 0) {
        return UNKNOWN;
      }
      int at = 0;
      while (at < length && schedstat.get(at) != ' ') {
        at++;
      }
      long delay = 0;
      for (at++; at < length && schedstat.get(at) != ' '; at++) {
        delay = delay * 10 + schedstat.get(at) - '0';
      }
      return delay;
    } catch (IOException e) {
      return UNKNOWN;
    }
  }
}
