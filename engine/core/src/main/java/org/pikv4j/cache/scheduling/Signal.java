package org.pikv4j.cache.scheduling;

/** What an {@link EvictionPolicy} can be told of the queries that it watches. Each costs something, so it has to ask. */
public enum Signal {
    /** The attention that each token received: the mean over the query heads of a KV head, summed over queries. */
    ATTENTION,
    /** The most attention that each token received of any query and head; instead of the mean. */
    PEAK_ATTENTION,
    /** The queries themselves. */
    QUERIES,
    /** The expert that each token's gate preferred in its layer. */
    EXPERTS
}
