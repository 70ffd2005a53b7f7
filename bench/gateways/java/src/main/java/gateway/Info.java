package gateway;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeSet;

/** The facts of {@code /info}, read back from the running process. */
final class Info {
  /** What the collectors' beans are called, in order, for each collector. */
  private static final Map<String, String> COLLECTORS =
      Map.of(
          "Copy, MarkSweepCompact", "serial",
          "PS MarkSweep, PS Scavenge", "parallel",
          "G1 Old Generation, G1 Young Generation", "g1",
          "G1 Concurrent GC, G1 Old Generation, G1 Young Generation", "g1",
          "ZGC Cycles, ZGC Pauses", "zgc",
          "ZGC Major Cycles, ZGC Major Pauses, ZGC Minor Cycles, ZGC Minor Pauses",
              "zgc-generational",
          "Shenandoah Cycles, Shenandoah Pauses", "shenandoah");

  private final Config config;
  private final LiveSet liveSet;

  Info(Config config, LiveSet liveSet) {
    this.config = config;
    this.liveSet = liveSet;
  }

  byte[] write(int workers) {
    return Json.write(
        out -> {
          out.writeStartObject();
          out.writeStringField("gateway", "java");
          out.writeStringField("runtime", "java");
          out.writeStringField("runtime_version", Runtime.version().toString());
          out.writeStringField("collector", collector());
          out.writeNumberField("workers", workers);
          out.writeNumberField("heap_limit_bytes", heapLimitBytes());
          out.writeNumberField("live_set_entries", liveSet.size());
          out.writeBooleanField("jwt_cache", config.jwtCache());
          out.writeBooleanField("upstream_pool", config.upstreamPool());
          out.writeNumberField("pid", ProcessHandle.current().pid());
          out.writeFieldName("flags");
          Json.write(out, ManagementFactory.getRuntimeMXBean().getInputArguments());
          out.writeEndObject();
        });
  }

  private static String collector() {
    var names = new TreeSet<String>();
    for (GarbageCollectorMXBean bean : ManagementFactory.getGarbageCollectorMXBeans()) {
      names.add(bean.getName());
    }
    String beans = String.join(", ", names);
    String collector = COLLECTORS.getOrDefault(beans, beans);
    // Its beans are called the same in every mode.
    return collector.equals("shenandoah") && option("ShenandoahGCMode").equals("generational")
        ? "shenandoah-generational"
        : collector;
  }

  private static long heapLimitBytes() {
    // Not Runtime.maxMemory(), which leaves out a survivor space under some collectors.
    return Long.parseLong(option("MaxHeapSize"));
  }

  private static String option(String name) {
    return ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
        .getVMOption(name)
        .getValue();
  }
}
