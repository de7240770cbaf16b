package org.pikv4j.cache.storage;

/**
 * How many pages one layer and KV head of a sequence holds while tokens are read one by one, those that have left the layer's
 * window not counted.
 *
 * @param exact pages in the form in which they are filled
 * @param sealed full pages in the form that they keep
 * @param reserved sealed forms that room is kept for, of pages that are still exact
 * @param unfilled tokens that the last page still has room for
 */
public record PageCounts(long exact, long sealed, long reserved, int unfilled) {

    /**
     * @param tokens length of the sequence
     * @param perPage tokens per page
     * @param window a query sees this many newest tokens
     * @param residual what stays exact where pages are compressed
     * @return the counts, in which pages that are never compressed are exact or sealed alike
     */
    public static PageCounts of(int tokens, int perPage, int window, Residual residual) {
        long last = Math.ceilDiv(tokens, perPage);
        long first = 0;
        if (tokens > window) {
            // A window begins anywhere in its oldest page.
            first = Math.max(0, last - Math.ceilDiv(window - 1, perPage) - 1);
        }
        long sinks = Math.clamp(residual.sinkPages(perPage), first, last);
        long settled = Math.clamp(residual.settledPages(tokens, perPage), sinks, last);
        return new PageCounts(
                last - first - (settled - sinks), settled - sinks, last - settled, (int) (last * perPage - tokens));
    }

    /**
     * The most of a sequence that goes on while its table stays as it is, because tokens are evicted: how many pages are not
     * yet sealed depends on its length then, no longer on what is left of it.
     *
     * @param tokens tokens that are left
     * @param perPage tokens per page
     * @param window a query sees this many newest tokens
     * @param residual what stays exact where pages are compressed
     * @return the counts at the length at which most pages are exact
     */
    public static PageCounts most(int tokens, int perPage, int window, Residual residual) {
        PageCounts settled = of(tokens, perPage, window, residual);
        long pages = settled.exact() + settled.sealed();
        long waiting = Math.ceilDiv(residual.tokens() + residual.interval() + perPage - 2, perPage);
        long exact = Math.min(pages, residual.sinkPages(perPage) + waiting);
        return new PageCounts(exact, pages - exact, Math.min(pages, waiting), 0);
    }
}
