/** The TornadoVM backend; so far it can only say whether an SDK is there. */
@NullMarked
package org.pikv4j.tornado;

import org.jspecify.annotations.NullMarked;
