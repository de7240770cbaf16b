package org.pikv4j.cache.routing;

/**
 * What the cache knows of itself, as a term beside a gate (PiKV, arXiv 2508.06526, §3.2, PiKVRouter): κ·mass − λ·log(1 + miss) − μ·error.
 *
 * @param lambda weight of the attention that is missing
 * @param mu weight of what compression lost
 * @param kappa weight of the attention that the shard draws; the paper has no such term, and without it the others say nothing of a
 *     cache that is whole
 */
public record CacheTerm(double lambda, double mu, double kappa) {

    /** Found on the demo model: see {@code bench routing}. */
    public static final CacheTerm DEFAULT = new CacheTerm(1, 1, 8);

    /**
     * @param mass share of the attention that the shard draws
     * @param miss share that it would draw and that is gone
     * @param error what the forms of its pages lost
     * @return the term
     */
    public double of(double mass, double miss, double error) {
        return kappa * mass - lambda * Math.log1p(miss) - mu * error;
    }
}
