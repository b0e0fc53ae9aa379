package org.efl.communicator;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.javacpp.Pointer;
import org.efl.nativelib.Efl;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way back from the kernel: one function of each type for the whole JVM (JavaCPP has room for
 * ten), and tokens that lead to what is pending. The tokens are numbers, so the kernel never holds
 * a reference into the JVM. Nothing may leave a callback: each catches every {@code Throwable}.
 */
final class Callbacks {
  private static final Logger LOG = LoggerFactory.getLogger(Callbacks.class);

  static final Efl.efl_done_fn DONE = new Done();
  static final Efl.efl_state_fn STATE = new State();
  static final Efl.efl_allocate_fn ALLOCATE = new Allocate();
  static final Efl.efl_tensor.Release_Pointer RELEASE = new Release();

  private static final ConcurrentHashMap<Long, Pending<?>> PENDING = new ConcurrentHashMap<>();
  private static final ConcurrentHashMap<Long, Lent> LENT = new ConcurrentHashMap<>();
  private static final ConcurrentHashMap<Long, StateListener> LISTENERS = new ConcurrentHashMap<>();
  private static final AtomicLong LAST_TOKEN = new AtomicLong();

  private Callbacks() {}

  /** Keeps the operation until {@link #DONE} is called with the token returned. */
  static long keep(Pending<?> pending) {
    long token = LAST_TOKEN.incrementAndGet();
    PENDING.put(token, pending);
    return token;
  }

  /** Keeps the buffer reachable until {@link #RELEASE} is called with the token returned. */
  static long lend(ByteBuffer data, Runnable released) {
    long token = LAST_TOKEN.incrementAndGet();
    LENT.put(token, new Lent(data, released));
    return token;
  }

  /** Keeps the listener until its peer is closed, or {@link #forget} is called. */
  static long listen(StateListener listener) {
    long token = LAST_TOKEN.incrementAndGet();
    LISTENERS.put(token, listener);
    return token;
  }

  /** The listener that was kept under this token is not called any more. */
  static void forget(long token) {
    LISTENERS.remove(token);
  }

  /** What the kernel gets for a token. */
  static Pointer pointer(long token) {
    return new Token(token);
  }

  /** A failure that has nobody to be thrown at. */
  static void uncaught(Throwable e) {
    try {
      LOG.error("A callback of the kernel failed.", e);
    } catch (Throwable ignored) {
      // Logging itself has failed, and an exception must not reach the kernel.
    }
  }

  private record Lent(ByteBuffer data, Runnable released) {}

  private static final class Token extends Pointer {
    Token(long token) {
      address = token;
    }
  }

  private static final class StatusAt extends Efl.efl_status {
    StatusAt(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }

  private static final class ResultAt extends Efl.efl_result {
    ResultAt(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }

  private static final class Done extends Efl.efl_done_fn {
    @Override
    public void call(long token, long status, long result) {
      try {
        Pending<?> pending = PENDING.remove(token);
        if (pending == null) {
          throw new IllegalStateException("Nothing is pending under token " + token);
        }
        pending.done(new StatusAt(status), new ResultAt(result));
      } catch (Throwable e) {
        uncaught(e);
      }
    }
  }

  private static final class State extends Efl.efl_state_fn {
    @Override
    public void call(Pointer token, int state, long sinceMs, Efl.efl_status cause) {
      try {
        boolean last = state == Efl.EFL_PEER_CLOSED;
        StateListener listener =
            last ? LISTENERS.remove(token.address()) : LISTENERS.get(token.address());
        if (listener != null) {
          listener.stateChanged(
              new StateListener.Change(
                  PeerState.of(state),
                  Instant.ofEpochMilli(sinceMs),
                  Efl.efl_status_code(cause) == Efl.EFL_OK
                      ? Optional.empty()
                      : Optional.of(Status.failure(cause))));
        }
      } catch (Throwable e) {
        uncaught(e);
      }
    }
  }

  private static final class Allocate extends Efl.efl_allocate_fn {
    @Override
    public long call(long token, Efl.efl_tensor tensor) {
      try {
        return PENDING.get(token).allocate(tensor);
      } catch (Throwable e) {
        uncaught(e);
        return 0;
      }
    }
  }

  private static final class Release extends Efl.efl_tensor.Release_Pointer {
    @Override
    public void call(Pointer token) {
      try {
        LENT.remove(token.address()).released().run();
      } catch (Throwable e) {
        uncaught(e);
      }
    }
  }
}
