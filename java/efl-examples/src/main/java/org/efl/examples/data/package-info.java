/**
 * The data of the examples: images read from IDX files or drawn, split by columns between two
 * parties, written to and read from TFRecord files.
 *
 * <pre>
 *   IDX files ──► IdxReader ──┐
 *                             ├─► LabeledImages ──► VerticalSplit ──► {leader,follower}_{train,test}/data_N.tfrd
 *          DigitGenerator ────┘                                                    │
 *                                    Batch ◄── BlockReader ◄── DataDirectory ◄─────┘
 * </pre>
 *
 * <p>A block is one TFRecord file. Its id is its path relative to the party's data directory, the
 * same at both parties, and the samples in it stand in the same order at both.
 */
package org.efl.examples.data;
