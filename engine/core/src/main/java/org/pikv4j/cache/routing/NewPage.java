package org.pikv4j.cache.routing;

/**
 * A page that has just become full.
 *
 * @param sequence a number that tells sequences apart; forks have that of what they were forked from
 * @param layer index of the layer
 * @param kvHead index of the KV head
 * @param position position of its first token
 * @param tokens tokens that it holds
 * @param votes how many of its tokens each expert of the layer's gate was the first choice of; empty without a gate
 */
public record NewPage(long sequence, int layer, int kvHead, int position, int tokens, int[] votes) {

    /**
     * @return the expert that most tokens chose, the first of equals; -1 without a gate
     */
    public int expert() {
        return TokenExperts.most(votes);
    }
}
