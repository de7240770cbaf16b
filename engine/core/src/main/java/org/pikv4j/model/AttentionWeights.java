package org.pikv4j.model;

/** The projections of an attention block. */
public final class AttentionWeights {
    private final Linear query;
    private final Linear key;
    private final Linear value;
    private final Linear output;
    private final float[] queryNorm;
    private final float[] keyNorm;

    /**
     * @param query (heads·headDim, hidden)
     * @param key (kvHeads·headDim, hidden)
     * @param value (kvHeads·headDim, hidden)
     * @param output (hidden, heads·headDim)
     * @param queryNorm weights of the norm on queries as {@link AttentionSpec#qkNorm()} says, or empty
     * @param keyNorm weights of the norm on keys, or empty
     */
    public AttentionWeights(Linear query, Linear key, Linear value, Linear output, float[] queryNorm, float[] keyNorm) {
        this.query = query;
        this.key = key;
        this.value = value;
        this.output = output;
        this.queryNorm = queryNorm;
        this.keyNorm = keyNorm;
    }

    public Linear query() {
        return query;
    }

    public Linear key() {
        return key;
    }

    public Linear value() {
        return value;
    }

    public Linear output() {
        return output;
    }

    public float[] queryNorm() {
        return queryNorm;
    }

    public float[] keyNorm() {
        return keyNorm;
    }
}
