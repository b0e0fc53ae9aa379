package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.efl.communicator.Code;
import org.efl.communicator.CommunicatorException;
import org.efl.communicator.DType;
import org.efl.communicator.EflsPeer;
import org.efl.communicator.Node;
import org.efl.communicator.NodeOptions;
import org.efl.communicator.Peer;
import org.efl.communicator.PeerOptions;
import org.efl.communicator.Protos;
import org.efl.communicator.Role;
import org.efl.communicator.TlsOptions;
import org.efl.proto.MessageResponse;
import org.efl.proto.tensorflow.TensorProto;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tensorflow.Operand;
import org.tensorflow.types.TString;

/** A peer that sends strings which aren't: an EFLS party, and a bare one with a kernel. */
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
  void shouldFailBothPartiesWhenWhatArrivesIsNoStrings(String what, long[] dims, byte[] bytes)
      throws Exception {
    try (EflsPeer efls = EflsPeer.listen(EflsPeer.Security.PLAIN, "");
        Party party = Party.open(Role.FOLLOWER, 0, efls.port(), settings -> settings);
        Pair threads = Pair.open()) {
      efls.dial(party.communicator.port());
      Operand<TString> receive = party.communicator.recv(party.tf, "t", TString.class);
      party.communicator.initialize(party.session());

      Future<?> receiving = threads.start(() -> party.fetch(receive));
      TensorProto proto = Protos.tensor(DType.STRING, ByteString.copyFrom(bytes), dims);
      MessageResponse answer = Pair.await(efls.send(Protos.message("t", 0, proto)));

      CommunicatorException e = Pair.failure(receiving);
      assertRefused(e, what);
      assertEquals(e.code().number(), answer.getCodeValue(), answer.getMsg());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("notStrings")
  void shouldTellTheReceiverWhatTheSenderMayNotSend(String what, long[] dims, byte[] bytes)
      throws Exception {
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
      Pair.await(connected);

      ByteBuffer data = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
      Future<?> receiving = threads.start(() -> party.fetch(receive));
      CommunicatorException refused = Pair.failure(bare.send("t", 0, DType.STRING, dims, data));

      assertEquals(Code.INVALID_ARGUMENT, refused.code(), refused.getMessage());
      CommunicatorException told = Pair.failure(receiving);
      assertRefused(told, what);
      assertTrue(told.reason().contains(refused.reason()), told.getMessage());
    }
  }

  private static void assertRefused(CommunicatorException e, String what) {
    assertEquals("receive tensor", e.operation(), what);
    assertEquals("t", e.name());
    assertTrue(e.reason().contains("strings"), e.getMessage());
  }
}
