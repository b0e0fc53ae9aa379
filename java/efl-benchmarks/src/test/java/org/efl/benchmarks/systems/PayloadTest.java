package org.efl.benchmarks.systems;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class PayloadTest {
  private static final int MIB = 1 << 18;
  private static final int SIZE = 3 * MIB;

  private final float[] tensor = new float[SIZE];

  private void send(long number) {
    Payload.fill(SIZE, this::set);
    Payload.mark(SIZE, number, this::set);
  }

  private void set(int index, float value) {
    tensor[index] = value;
  }

  private float get(int index) {
    return tensor[index];
  }

  @Test
  void shouldFindItsOwnTensorRight() {
    send(7);
    Payload.checkMarks(SIZE, 7, this::get);
    Payload.checkAll(SIZE, 7, this::get);
  }

  @Test
  void shouldTellTensorsApart() {
    send(7);
    assertThrows(PayloadException.class, () -> Payload.checkMarks(SIZE, 8, this::get));
  }

  @Test
  void shouldNoticeAPieceOfAnotherTensor() {
    send(7);
    tensor[2 * MIB] = 6;
    PayloadException e =
        assertThrows(PayloadException.class, () -> Payload.checkMarks(SIZE, 7, this::get));
    assertEquals("Tensor 7 has 6.0 at " + 2 * MIB + ", not 7.0.", e.getMessage());
  }

  @Test
  void shouldNoticeElementsThatAreOutOfPlace() {
    send(7);
    tensor[5] = tensor[6];
    assertDoesNotThrow(() -> Payload.checkMarks(SIZE, 7, this::get));
    assertThrows(PayloadException.class, () -> Payload.checkAll(SIZE, 7, this::get));
  }

  @Test
  void shouldCheckPartsAsTheWhole() {
    send(7);
    int from = MIB - 10;
    Payload.checkMarks(from, SIZE, 7, index -> tensor[from + index]);
    Payload.checkAll(from, SIZE, 7, index -> tensor[from + index]);
    tensor[MIB] = 8;
    assertThrows(
        PayloadException.class,
        () -> Payload.checkMarks(from, SIZE, 7, index -> tensor[from + index]));
  }

  @Test
  void shouldFillAndMarkPartsAsTheWhole() {
    send(7);
    float[] part = new float[2 * MIB];
    Payload.fill(MIB / 2, MIB / 2 + part.length, (index, value) -> part[index] = value);
    Payload.mark(MIB / 2, MIB / 2 + part.length, 7, (index, value) -> part[index] = value);
    for (int i = 0; i < part.length; i++) {
      assertEquals(tensor[MIB / 2 + i], part[i]);
    }
  }
}
