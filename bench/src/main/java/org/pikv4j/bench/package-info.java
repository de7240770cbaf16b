/** The command line of the benchmarks. */
@NullMarked
package org.pikv4j.bench;

import org.jspecify.annotations.NullMarked;
