/** The command line of the engine. */
@NullMarked
package org.pikv4j.app;

import org.jspecify.annotations.NullMarked;
