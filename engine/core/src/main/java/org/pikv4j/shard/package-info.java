/** Places beside the engine's own where pages live and are attended to. */
@NullMarked
package org.pikv4j.shard;

import org.jspecify.annotations.NullMarked;
