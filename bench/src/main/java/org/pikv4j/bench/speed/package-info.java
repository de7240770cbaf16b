/** How fast a model runs, beside what the machine could do. */
@NullMarked
package org.pikv4j.bench.speed;

import org.jspecify.annotations.NullMarked;
