package org.pikv4j.attention;

import java.util.List;

/** A shard's answer: a partial for each row and query head of its {@link ShardQuery}, and the weights of tokens if they are wanted. */
public final class ShardAnswer {
    private final Partials partials;
    private final List<List<TokenWeights>> weights; // by tile

    ShardAnswer(Partials partials, List<List<TokenWeights>> weights) {
        this.partials = partials;
        this.weights = List.copyOf(weights);
    }

    /** One for each row and head, tile by tile. */
    Partials partials() {
        return partials;
    }

    List<TokenWeights> weights(int tile) {
        return weights.get(tile);
    }

    /**
     * @return what it takes as a message, all in float32
     */
    public long bytes() {
        return partials.bytes()
                + weights.stream()
                        .flatMap(List::stream)
                        .mapToLong(TokenWeights::bytes)
                        .sum();
    }
}
