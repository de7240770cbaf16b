/** Whether a model finds again what it read. */
@NullMarked
package org.pikv4j.bench.recall;

import org.jspecify.annotations.NullMarked;
