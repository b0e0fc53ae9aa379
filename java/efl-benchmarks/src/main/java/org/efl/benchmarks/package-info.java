/** What the communicator and its peers can do on one machine, measured in one run. */
package org.efl.benchmarks;
