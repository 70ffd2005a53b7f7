package gateway;

import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Objects retained so that a collector has something to trace (§7). */
final class LiveSet {
  private static final int ENTRIES_PER_MIB = 1_024;

  /** More would not fit one array. */
  static final int MAX_MIB = 1 << 20;

  private final AtomicReferenceArray<Entry> entries;
  private final AtomicLong counter = new AtomicLong();

  private record Entry(long number, String key, String a, String b, String c, String d, Node node) {
    static Entry of(long number) {
      // Five strings of their own; that their text is the same costs a collector nothing less.
      return new Entry(
          number, text(number), text(number), text(number), text(number), text(number), new Node());
    }

    private static String text(long number) {
      return HexFormat.of().toHexDigits(number);
    }
  }

  private record Node(byte[] bytes) {
    Node() {
      this(new byte[768]);
    }
  }

  LiveSet(int mib) {
    entries = new AtomicReferenceArray<>(mib * ENTRIES_PER_MIB);
    for (int i = 0; i < entries.length(); i++) {
      replaceOne();
    }
  }

  int size() {
    return entries.length();
  }

  /** Replaces the next entry, round robin, by a freshly allocated one. */
  void replaceOne() {
    if (entries.length() > 0) {
      long number = counter.getAndIncrement();
      entries.set((int) (number % entries.length()), Entry.of(number));
    }
  }
}
