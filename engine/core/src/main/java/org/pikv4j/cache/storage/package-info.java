/**
 * Where a token's K/V row lives: slabs cut into pages, page tables per sequence, layer and KV head, reference counts, and
 * an account of every byte (PiKV, arXiv 2508.06526, §3.1; paging after PagedAttention, arXiv 2309.06180, §4).
 */
@NullMarked
package org.pikv4j.cache.storage;

import org.jspecify.annotations.NullMarked;
