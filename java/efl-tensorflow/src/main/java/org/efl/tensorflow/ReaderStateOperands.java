package org.efl.tensorflow;

import org.tensorflow.Operand;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TString;

/**
 * Where the peer stands in a dataset, as two scalars of the graph.
 *
 * @param blockId the file
 * @param sampleIndex the sample in it to begin with
 */
public record ReaderStateOperands(Operand<TString> blockId, Operand<TInt64> sampleIndex) {}
