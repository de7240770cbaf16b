package org.pikv4j.cache.routing;

import org.pikv4j.cache.scheduling.CachePolicy;

/**
 * Chooses what queries read, page by page or in blocks of tokens; a {@link ShardRouter} chooses among sets of pages, and is made one by {@link
 * SequenceRouting}. Attention weights always come from the true softmax over what is read; what is not read is lost
 * for that query, so an engine has no router unless it is given one. Called by the engine's thread alone.
 */
public interface PageRouter extends CachePolicy {

    /**
     * @return whether blocks are the tokens that share {@linkplain Candidates#bound bounds}, which are kept and computed for this
     *     router; otherwise blocks are whole pages
     */
    default boolean bounds() {
        return false;
    }

    /**
     * @return whether each row chooses for itself, as it must where there are bounds; otherwise some rows choose together
     */
    default boolean rowByRow() {
        return bounds();
    }

    /**
     * @param layer index of a layer
     * @param prompt tokens that the sequence began with
     * @return position of the first row that chooses; rows before it read everything
     */
    default int choosesFrom(int layer, int prompt) {
        return 0;
    }

    /**
     * @param candidates what the rows may see
     * @return ascending indices of the blocks to read
     */
    int[] read(Candidates candidates);
}
