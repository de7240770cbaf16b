/** The CPU backends: {@code scalar}, the readable oracle, and {@code vector}, over the same work sharing. */
@NullMarked
package org.pikv4j.cpu;

import org.jspecify.annotations.NullMarked;
