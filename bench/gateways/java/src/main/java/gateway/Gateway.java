package gateway;

import java.util.Optional;

/** What the workers share. */
record Gateway(
    Config config,
    JsonLog log,
    Metrics metrics,
    Drain drain,
    Info info,
    Workers workers,
    RouteEndpoint route,
    Proxy proxy,
    Optional<Faults> faults) {}
