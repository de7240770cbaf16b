package org.pikv4j.cache.control;

/**
 * Pages of one layer and KV head that a sequence still has, and why.
 *
 * @param layer index of the layer
 * @param kvHead index of the KV head
 * @param shard the shard that they are on, -1 for the engine's own memory
 * @param form how they are stored
 * @param pages how many
 * @param tokens that they hold
 * @param bytes that they take
 * @param reason in words
 */
public record KeptPages(
        int layer, int kvHead, int shard, String form, int pages, int tokens, long bytes, String reason) {

    KeptPages plus(KeptPages more) {
        return new KeptPages(
                layer, kvHead, shard, form, pages + more.pages, tokens + more.tokens, bytes + more.bytes, reason);
    }
}
