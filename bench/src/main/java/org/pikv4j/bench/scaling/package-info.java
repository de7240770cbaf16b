/** What sharding the cache costs in messages. */
@NullMarked
package org.pikv4j.bench.scaling;

import org.jspecify.annotations.NullMarked;
