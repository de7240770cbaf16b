/** Which part of the cache routers find. */
@NullMarked
package org.pikv4j.bench.routing;

import org.jspecify.annotations.NullMarked;
