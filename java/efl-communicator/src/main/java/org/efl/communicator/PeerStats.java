package org.efl.communicator;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.efl.nativelib.Efl;

/**
 * What a {@link Peer} has done since it was made, and how it stands.
 *
 * @param tensorsSent those that the peer holds, or has consumed, by {@link SendCompletion}
 * @param bytesSent of their content, as {@code bytesReceived}
 * @param pending operations
 * @param inFlightBytes over the link: sent, and the peer has not said yet that it has them
 * @param parkedTensors arrived, or announced, and not asked for
 * @param reconnects connections that were made again after one broke
 * @param retransmittedBytes sent again because a connection broke
 * @param checksumFailures messages and pieces of tensors that were damaged on the way
 * @param roundTrip the latest one that was measured
 */
public record PeerStats(
    PeerState state,
    Instant since,
    long tensorsSent,
    long tensorsReceived,
    long bytesSent,
    long bytesReceived,
    long pending,
    long inFlightBytes,
    long parkedTensors,
    long parkedBytes,
    long reconnects,
    long retransmittedBytes,
    long checksumFailures,
    Optional<Duration> roundTrip) {

  static PeerStats of(Efl.efl_peer_stats stats) {
    long roundTripUs = stats.round_trip_us();
    return new PeerStats(
        PeerState.of(stats.state()),
        Instant.ofEpochMilli(stats.since_ms()),
        stats.tensors_sent(),
        stats.tensors_received(),
        stats.bytes_sent(),
        stats.bytes_received(),
        stats.pending(),
        stats.in_flight_bytes(),
        stats.parked_tensors(),
        stats.parked_bytes(),
        stats.reconnects(),
        stats.retransmitted_bytes(),
        stats.checksum_failures(),
        roundTripUs < 0 ? Optional.empty() : Optional.of(Duration.ofNanos(roundTripUs * 1000)));
  }
}
