package org.efl.communicator;

import static org.efl.communicator.Outcomes.assertMentions;
import static org.efl.communicator.Outcomes.failure;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import org.efl.nativelib.Efl;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RefusedTensorTest {
  @Test
  void shouldRefuseATensorThatHasNoPlaceAndFailForThatReason() {
    Kernel.load();
    Pending.Receive receive = new Pending.Receive(null, Place::fresh);
    try (Efl.efl_tensor tensor = new Efl.efl_tensor()) {
      tensor.rank(0).dtype(DType.INT8.number()).size(1L << 40);
      assertEquals(0, receive.allocate(tensor));
    }
    receive.failed(new CommunicatorException(Code.RESOURCE_EXHAUSTED, "", "", -1, "", "refused"));

    CommunicatorException refused = failure(receive.future());
    assertInstanceOf(IllegalArgumentException.class, refused.getCause());
    assertMentions(refused, "refused: ", Integer.MAX_VALUE);
  }
}
