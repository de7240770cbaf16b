/** Starts the real main under a Java 25 with the flags that it needs; itself Java 17. */
@NullMarked
package org.pikv4j.launcher;

import org.jspecify.annotations.NullMarked;
