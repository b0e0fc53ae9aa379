/**
 * The communicator as TensorFlow ops, its hook, and a training session that runs hooks in order.
 */
package org.efl.tensorflow;
