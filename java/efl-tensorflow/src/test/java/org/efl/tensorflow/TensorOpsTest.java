package org.efl.tensorflow;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.RawTensor;
import org.tensorflow.Result;
import org.tensorflow.ndarray.NdArrays;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.proto.DataType;
import org.tensorflow.types.TBfloat16;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat16;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TFloat64;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TString;
import org.tensorflow.types.TUint16;
import org.tensorflow.types.TUint8;
import org.tensorflow.types.family.TType;

@Timeout(120)
class TensorOpsTest {
  private static final int[] VALUES = {0, 1, 2, 3, 5, 8};

  static Stream<Class<? extends TType>> numericTypes() {
    return Stream.of(
        TBfloat16.class,
        TFloat16.class,
        TFloat32.class,
        TFloat64.class,
        TInt32.class,
        TInt64.class,
        TUint8.class,
        TUint16.class);
  }

  @ParameterizedTest
  @MethodSource("numericTypes")
  void shouldCarryEveryJavaTypeUnchanged(Class<? extends TType> type) {
    try (Pair pair = Pair.open()) {
      Operand<? extends TType> sent = values(pair.leader.tf, type);
      Op send = pair.leader.send("t", sent);
      Operand<? extends TType> received =
          pair.follower.communicator.recv(pair.follower.tf, "t", type, Shape.of(2, 3));
      pair.connect();
      try (Result result =
              pair.both(() -> pair.leader.run(send), () -> pair.follower.fetch(received));
          Result expected = pair.leader.fetch(sent)) {
        assertEquals(expected.get(0), result.get(0));
      }
    }
  }

  private static <T extends TType> Operand<T> values(Ops tf, Class<T> type) {
    return tf.dtypes.cast(tf.reshape(tf.constant(VALUES), tf.constant(new int[] {2, 3})), type);
  }

  /** Those that Java has no class for: bits go there and back, compared as bytes. */
  @ParameterizedTest
  @EnumSource(
      value = DataType.class,
      names = {
        "DT_INT8",
        "DT_INT16",
        "DT_UINT32",
        "DT_UINT64",
        "DT_COMPLEX64",
        "DT_COMPLEX128",
        "DT_QINT8",
        "DT_QUINT8",
        "DT_QINT16",
        "DT_QUINT16",
        "DT_QINT32"
      })
  void shouldCarryTypesThatJavaHasNoClassFor(DataType type) {
    try (Pair pair = Pair.open()) {
      int width = widthOf(type);
      byte[] bytes = new byte[3 * width];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) (17 * i + 3);
      }
      Ops tf = pair.leader.tf;
      Operand<TUint8> flat = tf.bitcast(tf.constant(bytes), TUint8.class);
      Operand<TUint8> shaped =
          width == 1 ? flat : tf.reshape(flat, tf.constant(new int[] {3, width}));
      Op send = pair.leader.send("t", bitcast(tf, shaped, type));
      Operand<TUint8> back =
          bitcast(pair.follower.tf, receiveRaw(pair.follower, type), DataType.DT_UINT8);
      pair.connect();
      try (Result result =
          pair.both(() -> pair.leader.run(send), () -> pair.follower.fetch(back))) {
        RawTensor raw = result.get(0).asRawTensor();
        byte[] received = new byte[bytes.length];
        raw.data().read(received);
        assertArrayEquals(bytes, received);
      }
    }
  }

  private static Output<TUint8> receiveRaw(Party party, DataType type) {
    return party.communicator.ops().<TUint8>recv(party.tf, "t", type, Shape.of(3)).asOutput();
  }

  private static <T extends TType> Output<T> bitcast(Ops tf, Operand<?> from, DataType type) {
    return tf.scope()
        .opBuilder("Bitcast", "Bitcast")
        .addInput(from.asOutput())
        .setAttr("type", type)
        .build()
        .output(0);
  }

  private static int widthOf(DataType type) {
    return switch (type) {
      case DT_INT8, DT_QINT8, DT_QUINT8 -> 1;
      case DT_INT16, DT_QINT16, DT_QUINT16 -> 2;
      case DT_UINT32, DT_QINT32 -> 4;
      case DT_UINT64, DT_COMPLEX64 -> 8;
      case DT_COMPLEX128 -> 16;
      default -> throw new IllegalArgumentException(type.name());
    };
  }

  @Test
  void shouldCarryBooleansAndStrings() {
    String longText = "联邦".repeat(40_000);
    try (Pair pair = Pair.open()) {
      Ops tf = pair.leader.tf;
      Op flags = pair.leader.send("flags", tf.constant(new boolean[] {true, false, true}));
      Op texts =
          pair.leader.send(
              "texts",
              tf.reshape(
                  tf.constant(NdArrays.vectorOfObjects("", "a", "b\0c", longText)),
                  tf.constant(new int[] {2, 2})));
      Op scalar = pair.leader.send("scalar", tf.constant("alone"));
      Communicator c = pair.follower.communicator;
      Operand<TBool> gotFlags = c.recv(pair.follower.tf, "flags", TBool.class);
      Operand<TString> gotTexts = c.recv(pair.follower.tf, "texts", TString.class, Shape.of(2, 2));
      Operand<TString> gotScalar = c.recv(pair.follower.tf, "scalar", TString.class);
      pair.connect();
      try (Result result =
          pair.both(
              () -> pair.leader.run(flags, texts, scalar),
              () -> pair.follower.fetch(gotFlags, gotTexts, gotScalar))) {
        assertEquals(NdArrays.vectorOf(true, false, true), result.get(0));
        TString strings = (TString) result.get(1);
        assertEquals("", strings.getObject(0, 0));
        assertEquals("a", strings.getObject(0, 1));
        assertEquals("b\0c", strings.getObject(1, 0));
        assertEquals(longText, strings.getObject(1, 1));
        assertEquals("alone", ((TString) result.get(2)).getObject());
      }
    }
  }

  @Test
  void shouldCarryScalarsAndEmptyTensors() {
    try (Pair pair = Pair.open()) {
      Ops tf = pair.leader.tf;
      Op scalar = pair.leader.send("scalar", tf.constant(2.5f));
      Op empty = pair.leader.send("empty", tf.zeros(tf.constant(new int[] {0, 7}), TFloat64.class));
      Op noStrings = pair.leader.send("none", tf.zeros(tf.constant(new int[] {0}), TString.class));
      Communicator c = pair.follower.communicator;
      Operand<TFloat32> gotScalar =
          c.recv(pair.follower.tf, "scalar", TFloat32.class, Shape.scalar());
      Operand<TFloat64> gotEmpty =
          c.recv(pair.follower.tf, "empty", TFloat64.class, Shape.of(-1, 7));
      Operand<TString> gotNone = c.recv(pair.follower.tf, "none", TString.class);
      pair.connect();
      try (Result result =
          pair.both(
              () -> pair.leader.run(scalar, empty, noStrings),
              () -> pair.follower.fetch(gotScalar, gotEmpty, gotNone))) {
        assertEquals(2.5f, ((TFloat32) result.get(0)).getFloat());
        assertEquals(Shape.of(0, 7), result.get(1).shape());
        assertEquals(Shape.of(0), result.get(2).shape());
      }
    }
  }

  @Test
  void shouldTellTheGraphTheShapeOfAReceive() {
    try (Pair pair = Pair.open()) {
      Communicator c = pair.follower.communicator;
      Ops tf = pair.follower.tf;
      Shape shape = c.recv(tf, "fc1", TFloat32.class, Shape.of(-1, 128)).shape();
      assertArrayEquals(new long[] {-1, 128}, shape.asArray());
      assertTrue(c.recv(tf, "any").shape().isUnknown());
      assertEquals(Shape.scalar(), c.recvReaderState(tf, "train").sampleIndex().shape());
    }
  }

  @Test
  void shouldReceiveOtherSizesWhereADimensionIsOpen() {
    try (Pair pair = Pair.open()) {
      Operand<TInt32> size = pair.leader.tf.placeholder(TInt32.class);
      Op send = pair.leader.send("t", pair.leader.tf.fill(size, pair.leader.tf.constant(1f)));
      Operand<TFloat32> received =
          pair.follower.communicator.recv(pair.follower.tf, "t", TFloat32.class, Shape.of(-1, 3));
      pair.connect();
      for (int rows : List.of(4, 1, 100_000)) {
        try (TInt32 shape = TInt32.vectorOf(rows, 3);
            Result result =
                pair.both(
                    () -> {
                      pair.leader
                          .session()
                          .runner()
                          .feed(size, shape)
                          .addTarget(send)
                          .run()
                          .close();
                      return null;
                    },
                    () -> pair.follower.fetch(received))) {
          assertEquals(Shape.of(rows, 3), result.get(0).shape());
          assertEquals(1f, ((TFloat32) result.get(0)).getFloat(rows - 1, 2));
        }
      }
    }
  }

  @Test
  void shouldLetTheNameGoInBothDirectionsAtOnce() {
    try (Pair pair = Pair.open()) {
      Op[] sends = new Op[2];
      List<Operand<TInt64>> receives =
          Stream.of(pair.leader, pair.follower)
              .map(party -> party.communicator.recv(party.tf, "x", TInt64.class))
              .toList();
      sends[0] = pair.leader.send("x", pair.leader.tf.constant(1L));
      sends[1] = pair.follower.send("x", pair.follower.tf.constant(2L));
      pair.connect();
      long followerGot =
          pair.both(
              () -> exchange(pair.leader, sends[0], receives.get(0), 2),
              () -> exchange(pair.follower, sends[1], receives.get(1), 1));
      assertEquals(1, followerGot);
    }
  }

  private static long exchange(Party party, Op send, Operand<TInt64> receive, long expected) {
    try (Result result = party.session().runner().addTarget(send).fetch(receive).run()) {
      assertEquals(expected, ((TInt64) result.get(0)).getLong());
      return expected;
    }
  }
}
