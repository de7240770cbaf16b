/** Reading JSON that may be damaged or hostile: bounded, strict, and with errors of one line that name the field. */
@NullMarked
package org.pikv4j.loader.json;

import org.jspecify.annotations.NullMarked;
