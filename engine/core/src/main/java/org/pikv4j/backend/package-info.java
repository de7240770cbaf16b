/** What the decoder asks of a machine, and how implementations are found and chosen. */
@NullMarked
package org.pikv4j.backend;

import org.jspecify.annotations.NullMarked;
