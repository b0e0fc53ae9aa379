package org.efl.communicator;

import static org.efl.communicator.Outcomes.value;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.stream.Stream;
import org.efl.proto.MessageRequest;
import org.efl.proto.tensorflow.TensorProto;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a tensor looks like on the wire, to and from an EFLS party, in both roles. */
@Timeout(60)
@ParameterizedClass
@EnumSource(Role.class)
class EflsTensorTest {
  @Parameter Role role;

  private MixedPair pair;

  @BeforeEach
  void connect() throws Exception {
    pair = MixedPair.connected(role);
  }

  @AfterEach
  void close() {
    pair.close();
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void shouldSendEveryTypeWithTheBytesOfProtobufJava(DType dtype) throws Exception {
    ByteBuffer data = content(dtype);
    MessageRequest expected =
        Protos.message("t", 7, Protos.tensor(dtype, Elements.bytes(data), 2, 3));

    assertEquals(expected.toByteString(), emitted("t", 7, dtype, new long[] {2, 3}, data));
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void shouldReceiveEveryType(DType dtype) throws Exception {
    pair.peer.registerTensor("t", dtype, -1, 3);
    ByteBuffer data = content(dtype);

    Tensor tensor = received(7, Protos.tensor(dtype, Elements.bytes(data), 2, 3));

    assertEquals(dtype, tensor.dtype());
    assertArrayEquals(new long[] {2, 3}, tensor.dims());
    assertEquals(data, tensor.data());
  }

  static Stream<Arguments> shapes() {
    return Stream.of(
        Arguments.of(new long[] {}, Elements.floats(5)),
        Arguments.of(new long[] {0}, Elements.floats()),
        Arguments.of(new long[] {3, 0, 2}, Elements.floats()),
        Arguments.of(new long[] {1, 1, 1, 1, 2}, Elements.floats(1, 2)));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void shouldCarryScalarAndEmptyShapesBothWays(long[] dims, ByteBuffer data) throws Exception {
    pair.peer.registerTensor("t", DType.FLOAT, dims);
    TensorProto proto = Protos.tensor(DType.FLOAT, Elements.bytes(data), dims);

    assertEquals(
        Protos.message("t", 0, proto).toByteString(), emitted("t", 0, DType.FLOAT, dims, data));
    Tensor tensor = received(0, proto);
    assertArrayEquals(dims, tensor.dims());
    assertEquals(data, tensor.data());
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 127, 128, 1L << 40, Long.MAX_VALUE})
  void shouldSendEveryStepWithTheBytesOfProtobufJava(long step) throws Exception {
    ByteBuffer data = Elements.floats(1);
    MessageRequest expected =
        Protos.message("t", step, Protos.tensor(DType.FLOAT, Elements.bytes(data), 1));

    assertEquals(expected.toByteString(), emitted("t", step, DType.FLOAT, new long[] {1}, data));
  }

  @Test
  void shouldSendLongNamesAndLargeTensorsWithTheBytesOfProtobufJava() throws Exception {
    String name = "größe/" + "n".repeat(300);
    ByteBuffer data = Elements.random(3_000_000, 3);
    MessageRequest expected =
        Protos.message(name, 1, Protos.tensor(DType.UINT8, Elements.bytes(data), 3_000_000));

    assertEquals(
        expected.toByteString(), emitted(name, 1, DType.UINT8, new long[] {3_000_000}, data));
  }

  static Stream<Arguments> typedForms() {
    return Stream.of(
        Arguments.of(
            Protos.tensor(DType.FLOAT, 2).addFloatVal(1).addFloatVal(2), Elements.floats(1, 2)),
        Arguments.of(
            Protos.tensor(DType.DOUBLE, 1).addDoubleVal(1.5),
            Elements.direct(8).putDouble(1.5).flip()),
        Arguments.of(
            Protos.tensor(DType.INT32, 2).addIntVal(1).addIntVal(-2),
            Elements.direct(8).putInt(1).putInt(-2).flip()),
        Arguments.of(
            Protos.tensor(DType.INT16, 1).addIntVal(-3),
            Elements.direct(2).putShort((short) -3).flip()),
        Arguments.of(
            Protos.tensor(DType.UINT8, 2).addIntVal(255).addIntVal(1),
            Elements.direct(new byte[] {-1, 1})),
        Arguments.of(
            Protos.tensor(DType.INT64, 1).addInt64Val(-5), Elements.direct(8).putLong(-5).flip()),
        Arguments.of(
            Protos.tensor(DType.BOOL, 2).addBoolVal(true).addBoolVal(false),
            Elements.direct(new byte[] {1, 0})),
        Arguments.of(
            Protos.tensor(DType.HALF, 1).addHalfVal(0x3c00),
            Elements.direct(2).putShort((short) 0x3c00).flip()),
        Arguments.of(
            Protos.tensor(DType.STRING, 2)
                .addStringVal(ByteString.copyFromUtf8("a"))
                .addStringVal(ByteString.copyFromUtf8("bc")),
            Elements.strings("a", "bc")),
        // As TensorFlow reads them: a short list repeats its last value, of a long one the rest is
        // left.
        Arguments.of(Protos.tensor(DType.FLOAT, 3).addFloatVal(4), Elements.floats(4, 4, 4)),
        Arguments.of(
            Protos.tensor(DType.FLOAT, 1).addFloatVal(5).addFloatVal(6), Elements.floats(5)));
  }

  @ParameterizedTest
  @MethodSource("typedForms")
  void shouldReceiveTheTypedForm(TensorProto.Builder proto, ByteBuffer expected) throws Exception {
    pair.peer.registerTensor("t", DType.of(proto.getDtype()), -1);

    assertEquals(expected, received(0, proto.build()).data());
  }

  @Test
  void shouldIgnoreFieldsThatItDoesNotKnow() throws Exception {
    pair.peer.registerTensor("t", DType.FLOAT, -1);
    ByteBuffer data = Elements.floats(8);
    TensorProto proto =
        Protos.tensor(DType.FLOAT, 1)
            .setVersionNumber(4)
            .setTensorContent(Elements.bytes(data))
            .build();
    MessageRequest known = Protos.message("t", 0, proto);
    ByteString unknown = ByteString.copyFrom(new byte[] {(byte) 0xF8, 0x07, 0x01});

    var receiving = pair.peer.receive("t", 0);
    value(pair.efls.sendRaw(known.toByteString().concat(unknown)));

    assertEquals(data, value(receiving).data());
  }

  private static ByteBuffer content(DType dtype) {
    return dtype == DType.STRING
        ? Elements.strings("", "a", "zwölf", "x".repeat(200), "\0", "z")
        : Elements.random(6 * dtype.byteSize(), dtype.number());
  }

  /** The request that the kernel emits for this tensor, as the EFLS party got it. */
  private ByteString emitted(String name, long step, DType dtype, long[] dims, ByteBuffer data)
      throws Exception {
    pair.efls.service().register(name);
    var consumed = pair.efls.service().receive(name, step);
    value(pair.peer.send(name, step, dtype, dims, data));
    value(consumed);
    return pair.efls.recorder().next("SendMessage");
  }

  private Tensor received(long step, TensorProto proto) throws Exception {
    var receiving = pair.peer.receive("t", step);
    var answer = value(pair.efls.send(Protos.message("t", step, proto)));
    assertEquals(0, answer.getCodeValue(), answer.getMsg());
    return value(receiving);
  }
}
