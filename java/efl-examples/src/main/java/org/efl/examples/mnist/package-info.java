/**
 * The vertical MNIST split, trained by two parties: the leader has the left half of each image and
 * the labels, the follower the right half.
 *
 * <pre>
 *   follower                                     leader
 *   right half ─► dense 392→128 ── fc1 ────────► (+) ◄─ dense 392→128 ◄─ left half
 *                      ▲                          │
 *                      │                         relu ─► dense 128→10 ─► softmax cross-entropy ◄─ labels
 *                      └────── fc1_grad ◄──── d loss / d fc1
 * </pre>
 *
 * <p>{@link org.efl.examples.mnist.Leader} and {@link org.efl.examples.mnist.Follower} are the two
 * halves to copy from; {@link org.efl.examples.mnist.LocalTraining} trains the same network in one
 * process, to compare with. {@link org.efl.examples.mnist.Mnist} is the program.
 */
package org.efl.examples.mnist;
