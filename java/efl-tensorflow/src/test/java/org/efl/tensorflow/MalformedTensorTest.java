package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.DType;
import org.efl.communicator.Node;
import org.efl.communicator.NodeOptions;
import org.efl.communicator.Peer;
import org.efl.communicator.PeerOptions;
import org.efl.communicator.Role;
import org.efl.communicator.TlsOptions;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tensorflow.Operand;
import org.tensorflow.types.TString;

/** A peer, here a bare one, that sends strings which aren't. */
@Timeout(60)
class MalformedTensorTest {

  static Stream<Arguments> notStrings() {
    byte[] tooLongVarint = new byte[12];
    Arrays.fill(tooLongVarint, (byte) 0xff);
    return Stream.of(
        Arguments.of("lengths cut off", new long[] {2}, new byte[] {1, (byte) 0x80}),
        Arguments.of("lengths beyond the bytes", new long[] {2}, new byte[] {1, 2, 'a', 'b'}),
        Arguments.of("one huge length", new long[] {1}, huge()),
        Arguments.of("a varint without end", new long[] {1}, tooLongVarint),
        Arguments.of("bytes left over", new long[] {1}, new byte[] {1, 'a', 'b'}));
  }

  /** Lengths that would wrap around when they are added. */
  private static byte[] huge() {
    byte[] bytes = new byte[11];
    Arrays.fill(bytes, 0, 9, (byte) 0xff);
    bytes[9] = 1;
    return bytes;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("notStrings")
  void shouldRefuseBytesThatAreNotStrings(String what, long[] dims, byte[] bytes) {
    int port = Party.freePort();
    int barePort = Party.freePort();
    try (Party party = Party.open(Role.FOLLOWER, port, barePort, settings -> settings);
        Node node =
            Node.open(
                NodeOptions.builder()
                    .listenAddress("localhost:" + barePort)
                    .tls(TlsOptions.none())
                    .build());
        Pair threads = Pair.open()) {
      Peer bare =
          node.addPeer(
              PeerOptions.builder()
                  .role(Role.LEADER)
                  .peerAddress("localhost:" + port)
                  .tls(TlsOptions.none())
                  .build());
      Operand<TString> receive = party.communicator.recv(party.tf, "t", TString.class);
      CompletableFuture<Void> connected = bare.connect();
      party.communicator.initialize(party.session());
      connected.join();

      ByteBuffer data = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
      Future<?> receiving = threads.start(() -> party.fetch(receive));
      CompletableFuture<Void> sent = bare.send("t", 0, DType.STRING, dims, data);
      CommunicatorException e = Pair.failure(receiving);
      assertEquals("receive tensor", e.operation(), what);
      assertEquals("t", e.name());
      assertTrue(e.reason().length() > 10, e.getMessage());
      sent.exceptionally(failure -> null).join();
    }
  }
}
