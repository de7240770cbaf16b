/** The decoder: one forward pass for all model families, over ragged batches. */
@NullMarked
package org.pikv4j.decode;

import org.jspecify.annotations.NullMarked;
