package org.efl.tensorflow;

import org.tensorflow.Session;

/**
 * What a hook is told of a step.
 *
 * @param session the session the step runs in; a hook may run ops of its own in it
 * @param step the number of this step since the training began, restarts included; the first is 1
 */
public record TrainingContext(Session session, long step) {}
