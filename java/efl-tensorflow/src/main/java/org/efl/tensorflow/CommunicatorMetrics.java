package org.efl.tensorflow;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.efl.communicator.PeerMetrics;

/**
 * The figures of a {@link Communicator} as Micrometer's meters: those of {@link PeerMetrics}, named
 * {@code efl.peer.*}. Needs {@code io.micrometer:micrometer-core}, which this library doesn't bring
 * along.
 *
 * <pre>{@code
 * new CommunicatorMetrics(communicator, Tags.empty()).bindTo(registry);
 * }</pre>
 *
 * <p>A registry doesn't keep a communicator from the garbage collector; after its close the figures
 * stay as they are.
 */
public final class CommunicatorMetrics implements MeterBinder {
  private final PeerMetrics metrics;

  /**
   * The name of the communicator is a tag of each meter, {@code peer}, beside these. A name that is
   * set ({@link CommunicatorBuilder#name}) stays the same from run to run.
   */
  public CommunicatorMetrics(Communicator communicator, Iterable<Tag> tags) {
    metrics = new PeerMetrics(communicator.peer(), tags);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    metrics.bindTo(registry);
  }
}
