/** What attention worked on in one run, in a file: recorded with the model, to be looked at without it. */
@NullMarked
package org.pikv4j.trace;

import org.jspecify.annotations.NullMarked;
