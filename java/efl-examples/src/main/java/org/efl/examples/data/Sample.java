package org.efl.examples.data;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.Optional;
import org.tensorflow.proto.Example;
import org.tensorflow.proto.Feature;
import org.tensorflow.proto.Features;
import org.tensorflow.proto.FloatList;
import org.tensorflow.proto.Int64List;

/**
 * What one party knows of one sample, and its form in a file: a {@code tf.train.Example} with the
 * features {@code sample_id} (int64[1]), {@code feature} (float[n]) and, at the leader, {@code
 * label} (float[1]).
 */
public final class Sample {
  private final long id;
  private final float[] features;
  private final Optional<Float> label;

  /** Takes the array over. */
  public Sample(long id, float[] features, Optional<Float> label) {
    this.id = id;
    this.features = features;
    this.label = label;
  }

  /** By which the parties know that they speak of the same sample. */
  public long id() {
    return id;
  }

  /** This party's part of the image. Not a copy. */
  public float[] features() {
    return features;
  }

  /** The digit; the leader alone has it. */
  public Optional<Float> label() {
    return label;
  }

  /** The bytes of the Example. */
  public byte[] toBytes() {
    FloatList.Builder values = FloatList.newBuilder();
    for (float value : features) {
      values.addValue(value);
    }
    Features.Builder all =
        Features.newBuilder()
            .putFeature(
                "sample_id",
                Feature.newBuilder().setInt64List(Int64List.newBuilder().addValue(id)).build())
            .putFeature("feature", Feature.newBuilder().setFloatList(values).build());
    label.ifPresent(
        value ->
            all.putFeature(
                "label",
                Feature.newBuilder().setFloatList(FloatList.newBuilder().addValue(value)).build()));
    return Example.newBuilder().setFeatures(all).build().toByteArray();
  }

  /**
   * Reads an Example.
   *
   * @param width how many values {@code feature} has
   * @param labeled whether there has to be a label
   * @throws IllegalArgumentException when the bytes are none, or a feature is missing or has
   *     another size
   */
  public static Sample parse(byte[] bytes, int width, boolean labeled) {
    Features all;
    try {
      all = Example.parseFrom(bytes).getFeatures();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException("not a tf.train.Example", e);
    }
    Feature none = Feature.getDefaultInstance();
    Int64List id = all.getFeatureOrDefault("sample_id", none).getInt64List();
    FloatList values = all.getFeatureOrDefault("feature", none).getFloatList();
    FloatList label = all.getFeatureOrDefault("label", none).getFloatList();
    require("sample_id", 1, id.getValueCount());
    require("feature", width, values.getValueCount());
    float[] features = new float[width];
    for (int i = 0; i < width; i++) {
      features[i] = values.getValue(i);
    }
    if (!labeled) {
      return new Sample(id.getValue(0), features, Optional.empty());
    }
    require("label", 1, label.getValueCount());
    return new Sample(id.getValue(0), features, Optional.of(label.getValue(0)));
  }

  private static void require(String feature, int expected, int count) {
    if (count != expected) {
      throw new IllegalArgumentException(
          String.format("feature '%s' has %d values where %d belong", feature, count, expected));
    }
  }
}
