/** What policies cost: recall, attention and the next token under budgets, beside the bytes that are kept. */
@NullMarked
package org.pikv4j.bench.quality;

import org.jspecify.annotations.NullMarked;
