/** The README's program. */
package org.efl.examples.quickstart;
