package org.efl.communicator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where there are no native libraries, each attempt fails as the first did. */
@Timeout(60)
class MissingNativesTest {
  static final class OpensTwice {
    public static void main(String[] arguments) {
      System.setProperty("org.bytedeco.javacpp.platform", "linux-none");
      for (int i = 0; i < 2; i++) {
        try {
          Node.open(Pair.listening().build()).close();
        } catch (LinkageError e) {
          System.out.println(e);
        }
      }
    }

    private OpensTwice() {}
  }

  @Test
  void shouldSayTheSameEachTime() throws Exception {
    ChildJvm.Outcome outcome = ChildJvm.run(OpensTwice.class, Map.of(), 60);

    String line =
        "java.lang.UnsatisfiedLinkError: efl-native carries no libefl.so for the platform"
            + " linux-none\n";
    assertEquals(line + line, outcome.output());
  }
}
