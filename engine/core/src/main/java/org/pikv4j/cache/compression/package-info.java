/** In which form a page is kept (PiKV, arXiv 2508.06526, §3.3). The default is as the model computed it. */
@NullMarked
package org.pikv4j.cache.compression;

import org.jspecify.annotations.NullMarked;
