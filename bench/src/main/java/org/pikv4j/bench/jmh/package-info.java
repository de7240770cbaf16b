/** The JMH benchmarks of the kernels. They live in the main sources because they run from the runnable jar. */
@NullMarked
package org.pikv4j.bench.jmh;

import org.jspecify.annotations.NullMarked;
