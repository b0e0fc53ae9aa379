package org.efl.communicator;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.function.ToDoubleFunction;

/**
 * The figures of a {@link Peer} as Micrometer's meters, named {@code efl.peer.*}. Needs {@code
 * io.micrometer:micrometer-core}, which this library doesn't bring along.
 */
public final class PeerMetrics implements MeterBinder {
  private final Peer peer;
  private final Tags tags;

  /** The name of the peer is a tag of each meter, {@code peer}, beside these. */
  public PeerMetrics(Peer peer, Iterable<Tag> tags) {
    this.peer = peer;
    this.tags = Tags.of("peer", peer.name()).and(tags);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    counter(registry, "tensors.sent", null, PeerStats::tensorsSent);
    counter(registry, "tensors.received", null, PeerStats::tensorsReceived);
    counter(registry, "sent", "bytes", PeerStats::bytesSent);
    counter(registry, "received", "bytes", PeerStats::bytesReceived);
    counter(registry, "reconnects", null, PeerStats::reconnects);
    counter(registry, "retransmitted", "bytes", PeerStats::retransmittedBytes);
    counter(registry, "checksum.failures", null, PeerStats::checksumFailures);
    gauge(registry, "pending", null, PeerStats::pending);
    gauge(registry, "in.flight", "bytes", PeerStats::inFlightBytes);
    gauge(registry, "parked.tensors", null, PeerStats::parkedTensors);
    gauge(registry, "parked", "bytes", PeerStats::parkedBytes);
    gauge(registry, "round.trip", "seconds", PeerMetrics::roundTripSeconds);
    for (PeerState state : PeerState.values()) {
      Gauge.builder("efl.peer.state", peer, p -> p.state() == state ? 1 : 0)
          .description("1 for the state that the peer is in")
          .tags(tags.and("state", state.name().toLowerCase(java.util.Locale.ROOT)))
          .register(registry);
    }
  }

  private static double roundTripSeconds(PeerStats stats) {
    return stats.roundTrip().map(Duration::toNanos).map(nanos -> nanos / 1e9).orElse(Double.NaN);
  }

  private void counter(
      MeterRegistry registry, String name, String unit, ToDoubleFunction<PeerStats> value) {
    FunctionCounter.builder("efl.peer." + name, peer, p -> value.applyAsDouble(p.stats()))
        .baseUnit(unit)
        .tags(tags)
        .register(registry);
  }

  private void gauge(
      MeterRegistry registry, String name, String unit, ToDoubleFunction<PeerStats> value) {
    Gauge.builder("efl.peer." + name, peer, p -> value.applyAsDouble(p.stats()))
        .baseUnit(unit)
        .tags(tags)
        .register(registry);
  }
}
