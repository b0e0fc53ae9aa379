/** The measured systems: two child programs each, one that serves and one that drives. */
package org.efl.benchmarks.systems;
