package org.pikv4j.cache.scheduling;

import org.pikv4j.cache.storage.PageTable;

/**
 * The attention that consecutive query rows of one sequence paid to the tokens of one KV head: probabilities, the mean over
 * the heads of the group, summed over the rows.
 */
public final class ObservedAttention {
    private final AttentionWatcher watcher;
    private final PageTable table;
    private final int position;
    private final int rows;
    private final int[] firstTokens;
    private final float[] sums;

    /**
     * @param watcher who wants to know
     * @param table the pages attended to
     * @param position position of the first row
     * @param rows number of rows
     */
    public ObservedAttention(AttentionWatcher watcher, PageTable table, int position, int rows) {
        this.watcher = watcher;
        this.table = table;
        this.position = position;
        this.rows = rows;
        firstTokens = new int[table.size()];
        int sum = 0;
        for (int p = 0; p < firstTokens.length; p++) {
            firstTokens[p] = sum;
            sum += table.tokens(p);
        }
        sums = new float[sum];
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
     * @return the sum over the rows, one for each token of the table, in its order; tokens that no row sees have 0
     */
    public float[] sums() {
        return sums;
    }
}
