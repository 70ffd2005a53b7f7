package gateway;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/** What {@code /metrics} tells, with every series looked up once and not at every request. */
final class Metrics {
  static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private static final int STATUSES = 1_000;

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();
  private final Counter requests =
      Counter.builder()
          .name("http_server_requests_total")
          .help("Requests answered.")
          .labelNames("endpoint", "status")
          .withoutExemplars()
          .register(registry);
  private final Histogram durations =
      Histogram.builder()
          .name("http_server_request_duration_seconds")
          .help("From a request's header to its answer handed to the connection.")
          .labelNames("endpoint")
          .classicOnly()
          .classicUpperBounds(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2.5)
          .withoutExemplars()
          .register(registry);

  private final DistributionDataPoint[] duration =
      new DistributionDataPoint[Endpoint.values().length];
  // A race here is harmless: every thread finds the same series.
  private final CounterDataPoint[][] count =
      new CounterDataPoint[Endpoint.values().length][STATUSES];

  Metrics() {
    for (Endpoint endpoint : Endpoint.values()) {
      duration[endpoint.ordinal()] = durations.labelValues(endpoint.label);
    }
  }

  /** Counts a request whose answer has been handed to its connection. */
  void count(Endpoint endpoint, int status, long durationNs) {
    CounterDataPoint[] series = count[endpoint.ordinal()];
    if (series[status] == null) {
      series[status] = requests.labelValues(endpoint.label, Integer.toString(status));
    }
    series[status].inc();
    duration[endpoint.ordinal()].observe(durationNs / 1e9);
  }

  /** Writes every series in the Prometheus text format. */
  byte[] scrape() {
    var bytes = new ByteArrayOutputStream(4_096);
    try {
      writer.write(bytes, registry.scrape());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}
