package gateway;

import com.fasterxml.jackson.core.JsonGenerator;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Faults on demand, and truths to hold meters against (§9); only with ENABLE_FAULTS=1. */
final class Faults {
  private static final int MIB = 1 << 20;

  /** A loop counted by an int lasts no longer. */
  private static final int MAX_UNSTOPPABLE_MS = 1_000;

  private final Vertx vertx;
  private final Workers workers;

  /** Something done, on CLOCK_MONOTONIC. */
  private record Span(long startNs, long endNs) {}

  Faults(Vertx vertx, Workers workers) {
    this.vertx = vertx;
    this.workers = workers;
  }

  boolean handles(String path) {
    return switch (path) {
      case "/__fault/block",
          "/__fault/leak",
          "/__fault/exit",
          "/__truth/gc",
          "/__truth/unstoppable",
          "/__truth/drop",
          "/__truth/clock" ->
          true;
      default -> false;
    };
  }

  void handle(Exchange exchange) {
    boolean reads = exchange.path().equals("/__truth/clock");
    HttpMethod method = exchange.method();
    if (reads ? method != HttpMethod.GET && method != HttpMethod.HEAD : method != HttpMethod.POST) {
      exchange.refuseMethod(reads ? "GET, HEAD" : "POST");
      return;
    }
    switch (exchange.path()) {
      case "/__fault/block" -> block(exchange);
      case "/__fault/leak" -> leak(exchange);
      case "/__fault/exit" -> Runtime.getRuntime().halt(number(exchange, "code", 0, 255));
      case "/__truth/gc" -> collect(exchange);
      case "/__truth/unstoppable" -> runUnstoppably(exchange);
      case "/__truth/drop" -> drop(exchange);
      default -> exchange.answer(200, clock());
    }
  }

  private void block(Exchange exchange) {
    int ms = number(exchange, "ms", 0, Integer.MAX_VALUE);
    int count = exchange.parameter("workers") == null ? 1 : number(exchange, "workers", 1, 1_024);
    List<Context> loops = workers.hereFirst();
    List<Future<Span>> spinning = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Promise<Span> done = Promise.promise();
      // More workers than event loops: some spin twice.
      loops.get(i % loops.size()).runOnContext(now -> done.complete(spin(ms)));
      spinning.add(done.future());
    }
    Context here = loops.get(0);
    Future.all(spinning)
        .onSuccess(
            all -> {
              List<Span> spans = all.list();
              here.runOnContext(now -> exchange.answer(200, blocked(spans)));
            });
  }

  private static Span spin(int ms) {
    long start = System.nanoTime();
    long end = start + TimeUnit.MILLISECONDS.toNanos(ms);
    long now = start;
    while (now - end < 0) {
      Thread.onSpinWait();
      now = System.nanoTime();
    }
    return new Span(start, now);
  }

  private static void leak(Exchange exchange) {
    int mibPerS = number(exchange, "mib_per_s", 1, 1_000_000);
    var thread = new Thread(() -> retain(mibPerS), "leak");
    thread.setDaemon(true);
    thread.start();
    exchange.answer(202, Json.write(out -> Json.write(out, Map.of("leaking_mib_per_s", mibPerS))));
  }

  private static void retain(int mibPerS) {
    List<byte[]> retained = new ArrayList<>();
    long start = System.nanoTime();
    while (true) {
      double due = mibPerS * (System.nanoTime() - start) / 1e9;
      while (retained.size() < due) {
        byte[] mib = new byte[MIB];
        Arrays.fill(mib, (byte) 1);
        retained.add(mib);
      }
      try {
        Thread.sleep(10);
      } catch (InterruptedException e) {
        throw new IllegalStateException("nothing interrupts a leak", e);
      }
    }
  }

  private void collect(Exchange exchange) {
    int count = number(exchange, "n", 1, 1_000_000);
    vertx
        .executeBlocking(
            () -> {
              List<Span> collections = new ArrayList<>();
              for (int i = 0; i < count; i++) {
                long start = System.nanoTime();
                System.gc();
                collections.add(new Span(start, System.nanoTime()));
              }
              return collections;
            })
        .onSuccess(collections -> exchange.answer(200, collected(collections)));
  }

  private void runUnstoppably(Exchange exchange) {
    int ms = number(exchange, "ms", 0, MAX_UNSTOPPABLE_MS);
    vertx
        .executeBlocking(() -> Unstoppable.run(ms))
        .onSuccess(ran -> exchange.answer(200, stopped(ran)));
  }

  /** Freeing is the collector's work here. */
  private static void drop(Exchange exchange) {
    number(exchange, "mib", 0, LiveSet.MAX_MIB);
    exchange.answer(200, Json.write(out -> Json.write(out, Map.of("applicable", false))));
  }

  private static byte[] stopped(Unstoppable.Stopping ran) {
    return Json.write(
        out -> {
          out.writeStartObject();
          out.writeBooleanField("applicable", true);
          out.writeFieldName("loop");
          write(out, new Span(ran.startNs(), ran.endNs()));
          out.writeNumberField("asked_ns", ran.askedNs());
          out.writeNumberField("collected_ns", ran.collectedNs());
          out.writeEndObject();
        });
  }

  private static byte[] clock() {
    long before = System.nanoTime();
    Instant wall = Instant.now();
    long after = System.nanoTime();
    return Json.write(
        out -> {
          out.writeStartObject();
          out.writeNumberField("monotonic_ns", before + (after - before) / 2);
          out.writeNumberField(
              "wall_ns", TimeUnit.SECONDS.toNanos(wall.getEpochSecond()) + wall.getNano());
          // Rounded up: the wall clock was read between the two, wherever.
          out.writeNumberField("uncertainty_ns", (after - before + 1) / 2);
          out.writeEndObject();
        });
  }

  private static byte[] collected(List<Span> collections) {
    return Json.write(
        out -> {
          out.writeStartObject();
          out.writeBooleanField("applicable", true);
          write(out, "collections", collections);
          out.writeEndObject();
        });
  }

  private static byte[] blocked(List<Span> spins) {
    return Json.write(
        out -> {
          out.writeStartObject();
          write(out, "blocked", spins);
          out.writeEndObject();
        });
  }

  private static void write(JsonGenerator out, String name, List<Span> spans) throws IOException {
    out.writeArrayFieldStart(name);
    for (Span span : spans) {
      write(out, span);
    }
    out.writeEndArray();
  }

  private static void write(JsonGenerator out, Span span) throws IOException {
    out.writeStartObject();
    out.writeNumberField("start_ns", span.startNs);
    out.writeNumberField("end_ns", span.endNs);
    out.writeEndObject();
  }

  private static int number(Exchange exchange, String name, int least, int most) {
    String value = exchange.parameter(name);
    try {
      int number = Integer.parseInt(value);
      if (number >= least && number <= most) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below; null, too, is no number.
    }
    throw new Refusal(
        Problem.INVALID_REQUEST,
        "%s must be an integer from %d to %d".formatted(name, least, most));
  }
}
