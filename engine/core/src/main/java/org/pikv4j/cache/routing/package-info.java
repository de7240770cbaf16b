/** Which pages a query reads (PiKV, arXiv 2508.06526, §3.2). The default reads all, which is exact. */
@NullMarked
package org.pikv4j.cache.routing;

import org.jspecify.annotations.NullMarked;
