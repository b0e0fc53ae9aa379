package org.efl.benchmarks.systems;

import java.util.List;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** How tensors travel in Arrow Flight: a vector of floats, in batches. */
final class FlightBatches {
  /**
   * Elements of a batch: 1 MiB, which Netty's pool has room for, so that no batch is mapped anew.
   */
  static final int MOST = 1 << 18;

  static final Schema SCHEMA =
      new Schema(
          List.of(
              new Field(
                  "tensor",
                  FieldType.notNullable(new ArrowType.FloatingPoint(FloatingPointPrecision.SINGLE)),
                  List.of())));

  /** The action that asks whether the last repetition arrived as it was sent. */
  static final String VERIFY = "verify";

  private FlightBatches() {}
}
