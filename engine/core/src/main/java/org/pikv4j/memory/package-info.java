/** Sizes in bytes. */
@NullMarked
package org.pikv4j.memory;

import org.jspecify.annotations.NullMarked;
