/** The suite: starts the systems as processes, measures, and reports. */
package org.efl.benchmarks.suite;
