package org.efl.communicator;

/**
 * Where the reader of a dataset stands.
 *
 * @param blockId the data file, relative to the data folder
 * @param sampleIndex the sample in it to read next, from 0
 */
public record ReaderState(String blockId, long sampleIndex) {}
