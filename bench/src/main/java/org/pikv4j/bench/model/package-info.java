/** Checkpoints of any size with random weights, for measuring. */
@NullMarked
package org.pikv4j.bench.model;

import org.jspecify.annotations.NullMarked;
