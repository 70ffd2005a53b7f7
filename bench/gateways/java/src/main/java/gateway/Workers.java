package gateway;

import io.vertx.core.Context;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The event loops that run requests, as they reported themselves. */
final class Workers {
  private final Map<Thread, Context> loops = new ConcurrentHashMap<>();

  /** Registers the event loop that calls this. */
  void join(Context context) {
    loops.put(Thread.currentThread(), context);
  }

  int count() {
    return loops.size();
  }

  /** Every event loop once, the one that calls this first. */
  List<Context> hereFirst() {
    List<Context> ordered = new ArrayList<>(loops.values());
    Context here = loops.get(Thread.currentThread());
    ordered.remove(here);
    ordered.add(0, here);
    return ordered;
  }
}
