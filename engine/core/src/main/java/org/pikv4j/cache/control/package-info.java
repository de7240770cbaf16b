/**
 * One budget for everything that a cache may lose: where memory is short, what costs the output least for its bytes goes first,
 * whether that is precision or tokens (PiKV, arXiv 2508.06526, §3, whose three modules decide alone).
 */
@NullMarked
package org.pikv4j.cache.control;

import org.jspecify.annotations.NullMarked;
