/** The one dependency of a Java service. */
@NullMarked
package org.pikv4j;

import org.jspecify.annotations.NullMarked;
