package org.pikv4j.cache.routing;

import java.util.Arrays;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.model.AttentionSpec;

/**
 * The blocks of tokens that some consecutive query rows may read in one layer and KV head, by position. The last ones hold the
 * rows' own tokens.
 */
public final class Candidates {
    private static final int FIRST_ROOM = 64;

    private final int layer;
    private final int kvHead;
    private final int position;
    private final int rows;
    private final AttentionSpec spec;
    private final float[] queries;
    private final int firstQuery;
    private Page[] pages = new Page[FIRST_ROOM];
    private int[] pageNumbers = new int[FIRST_ROOM];
    private int[] starts = new int[FIRST_ROOM];
    private int[] ends = new int[FIRST_ROOM];
    private int count;
    private float[] bounds = {};
    private int group;

    /**
     * @param layer index of the layer
     * @param kvHead index of the KV head
     * @param position position of the first row
     * @param rows number of rows
     * @param spec the layer's attention
     * @param queries rotated queries of a batch, (row, heads, headDim)
     * @param firstQuery where the first row's queries for the KV head start
     */
    public Candidates(
            int layer, int kvHead, int position, int rows, AttentionSpec spec, float[] queries, int firstQuery) {
        this.layer = layer;
        this.kvHead = kvHead;
        this.position = position;
        this.rows = rows;
        this.spec = spec;
        this.queries = queries;
        this.firstQuery = firstQuery;
    }

    /**
     * Adds a block behind those that are there.
     *
     * @param page the page it lies in
     * @param number the page's number in its table
     * @param start first slot
     * @param end one past the last slot
     */
    public void add(Page page, int number, int start, int end) {
        if (count == pages.length) {
            pages = Arrays.copyOf(pages, 2 * count);
            pageNumbers = Arrays.copyOf(pageNumbers, 2 * count);
            starts = Arrays.copyOf(starts, 2 * count);
            ends = Arrays.copyOf(ends, 2 * count);
        }
        pages[count] = page;
        pageNumbers[count] = number;
        starts[count] = start;
        ends[count] = end;
        count++;
    }

    public int layer() {
        return layer;
    }

    public int kvHead() {
        return kvHead;
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
     * @return the layer's attention
     */
    public AttentionSpec spec() {
        return spec;
    }

    /**
     * @return holds the queries, rotated; not to be changed, and valid during the call alone
     */
    public float[] queries() {
        return queries;
    }

    /**
     * @param row a row, from 0
     * @return where its queries for the KV head start: (group, headDim)
     */
    public int query(int row) {
        return firstQuery + row * spec.queryWidth();
    }

    /**
     * @return number of blocks
     */
    public int count() {
        return count;
    }

    /**
     * @param block a block
     * @return position of its first token
     */
    public int first(int block) {
        return pages[block].position(starts[block]);
    }

    /**
     * @param block a block
     * @return position of its last token
     */
    public int last(int block) {
        return pages[block].position(ends[block] - 1);
    }

    /**
     * @param block a block
     * @return its tokens
     */
    public int tokens(int block) {
        return ends[block] - starts[block];
    }

    /**
     * @param block a block
     * @return the page it lies in
     */
    public Page page(int block) {
        return pages[block];
    }

    /**
     * @param block a block
     * @return the number of its page in the table
     */
    public int pageNumber(int block) {
        return pageNumbers[block];
    }

    /**
     * @param block a block
     * @return its first slot in its page
     */
    public int start(int block) {
        return starts[block];
    }

    /**
     * @param block a block
     * @return one past its last slot in its page
     */
    public int end(int block) {
        return ends[block];
    }

    /**
     * Makes room for bounds.
     *
     * @param heads query heads that share the KV head
     * @return where whoever computes them writes: (block, head)
     */
    public float[] bounds(int heads) {
        group = heads;
        bounds = new float[count * heads];
        return bounds;
    }

    /**
     * What no score of a row's query with a key of the block can exceed (Quest, arXiv 2406.10774, §3.3): Σ_d max(q_d·min_d,
     * q_d·max_d), scaled as scores are. Known if the router asked for bounds; there is one row then.
     *
     * @param block a block
     * @param head a query head of the group
     * @return the bound
     */
    public float bound(int block, int head) {
        return bounds[block * group + head];
    }

    /**
     * @return query heads for which there are bounds; 0 where none were asked for
     */
    public int boundedHeads() {
        return group;
    }
}
