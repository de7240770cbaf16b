/** Which tokens stay when a budget is reached (PiKV, arXiv 2508.06526, §3.4). The default evicts nothing. */
@NullMarked
package org.pikv4j.cache.scheduling;

import org.jspecify.annotations.NullMarked;
