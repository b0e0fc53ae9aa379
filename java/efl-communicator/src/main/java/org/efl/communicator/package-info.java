/**
 * Nodes and peers: the plain Java calls of the communicator.
 *
 * <p>A {@link org.efl.communicator.Node} listens, and holds any number of {@link
 * org.efl.communicator.Peer}s, the other parties. What a peer does ends in a {@code
 * CompletableFuture}; it completes on a thread of the kernel, so a continuation that blocks holds
 * up the messages of the peer. Give such work to an executor of its own ({@code thenApplyAsync}).
 *
 * <p>Everything here may be called from any thread. Failures are {@link
 * org.efl.communicator.CommunicatorException}s; wrong arguments are {@code
 * IllegalArgumentException}s, thrown at once.
 */
package org.efl.communicator;
