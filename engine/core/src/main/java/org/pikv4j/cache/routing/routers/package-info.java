/** One router per file (PiKV, arXiv 2508.06526, §3.2, Table 1). */
@NullMarked
package org.pikv4j.cache.routing.routers;

import org.jspecify.annotations.NullMarked;
