/** Every exception that this library throws on purpose; the command line turns each into one line and exit code 2. */
@NullMarked
package org.pikv4j.error;

import org.jspecify.annotations.NullMarked;
