package org.efl.communicator;

import com.google.protobuf.ByteString;
import org.efl.proto.MessageRequest;
import org.efl.proto.tensorflow.TensorProto;
import org.efl.proto.tensorflow.TensorShapeProto;

/** Messages as protobuf-java builds them. */
public final class Protos {
  private Protos() {}

  static TensorProto.Builder tensor(DType dtype, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long size : dims) {
      shape.addDim(TensorShapeProto.Dim.newBuilder().setSize(size));
    }
    return TensorProto.newBuilder().setDtype(dtype.number()).setTensorShape(shape);
  }

  public static TensorProto tensor(DType dtype, ByteString content, long... dims) {
    return tensor(dtype, dims).setTensorContent(content).build();
  }

  public static MessageRequest message(String name, long step, TensorProto tensor) {
    return MessageRequest.newBuilder().setName(name).setStep(step).setTensor(tensor).build();
  }
}
