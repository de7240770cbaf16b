package org.pikv4j.cache.scheduling;

import java.util.Set;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.model.AttentionSpec;

/** What consecutive query rows of one sequence asked of one KV head, and the attention that they paid to its tokens. */
public final class ObservedAttention {
    private final AttentionWatcher watcher;
    private final Set<Signal> signals;
    private final PageTable table;
    private final AttentionSpec spec;
    private final int position;
    private final int rows;
    private final float[] queries;
    private final int firstQuery;
    private final int[] firstTokens;
    private final float[] received;

    /**
     * @param watcher who wants to know
     * @param table the pages attended to
     * @param spec the layer's attention
     * @param position position of the first row
     * @param rows number of rows
     * @param queries rotated queries of a batch, (row, heads, headDim)
     * @param firstQuery where the first row's queries for this KV head start
     */
    public ObservedAttention(
            AttentionWatcher watcher,
            PageTable table,
            AttentionSpec spec,
            int position,
            int rows,
            float[] queries,
            int firstQuery) {
        this.watcher = watcher;
        this.signals = watcher.signals();
        this.table = table;
        this.spec = spec;
        this.position = position;
        this.rows = rows;
        this.queries = queries;
        this.firstQuery = firstQuery;
        firstTokens = new int[table.size()];
        int sum = 0;
        for (int p = 0; p < firstTokens.length; p++) {
            firstTokens[p] = sum;
            sum += table.tokens(p);
        }
        received = new float[wantsAttention() ? sum : 0];
    }

    /**
     * @return whether the attention is wanted, and not only the queries
     */
    public boolean wantsAttention() {
        return signals.contains(Signal.ATTENTION) || peak();
    }

    /**
     * @return whether the largest probability is wanted, not the sum
     */
    public boolean peak() {
        return signals.contains(Signal.PEAK_ATTENTION);
    }

    /**
     * @return the place of each page's first token
     */
    public int[] firstTokens() {
        return firstTokens;
    }

    /** Tells who wanted to know, once all items are complete. */
    public void report() {
        watcher.watch(this);
    }

    /**
     * @return the pages attended to
     */
    public PageTable table() {
        return table;
    }

    /**
     * @return the layer's attention
     */
    public AttentionSpec spec() {
        return spec;
    }

    /**
     * @return position of the first row
     */
    public int position() {
        return position;
    }

    /**
     * @return number of rows
     */
    public int rows() {
        return rows;
    }

    /**
     * @return holds the queries, rotated; not to be changed, and valid during the call alone
     */
    public float[] queries() {
        return queries;
    }

    /**
     * @param row a row, from 0
     * @return where its queries for this KV head start: (group, headDim)
     */
    public int query(int row) {
        return firstQuery + row * spec.queryWidth();
    }

    /**
     * @return one number for each token of the table, in its order: the sum over the rows of the mean over the group's heads, or the
     *     largest of all ({@link Signal}); tokens that no row sees have 0
     */
    public float[] received() {
        return received;
    }
}
