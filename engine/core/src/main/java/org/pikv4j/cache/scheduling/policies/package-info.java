/** The eviction policies, one class and one paper each (PiKV, arXiv 2508.06526, Table 3, and its strong baselines). */
@NullMarked
package org.pikv4j.cache.scheduling.policies;

import org.jspecify.annotations.NullMarked;
