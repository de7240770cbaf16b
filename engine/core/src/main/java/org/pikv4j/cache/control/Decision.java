package org.pikv4j.cache.control;

/**
 * What was done to a page, or to pages in a row, and why.
 *
 * @param layer index of the layer
 * @param kvHead index of the KV head
 * @param first position of the first token
 * @param last position of the last
 * @param sessions how many hold it
 * @param from the form that it had
 * @param to the form that it has; the same where tokens were dropped
 * @param dropped tokens that are gone
 * @param fromShard the shard that it was on, -1 for the engine's own memory
 * @param toShard the shard that it is on; the first page's, where tokens were dropped
 * @param error what the output of the head changes by, as it was estimated
 * @param bytes that this freed
 * @param reason in words
 */
public record Decision(
        int layer,
        int kvHead,
        int first,
        int last,
        int sessions,
        String from,
        String to,
        int dropped,
        int fromShard,
        int toShard,
        double error,
        long bytes,
        String reason) {

    /**
     * @return what kind of decision it is, for sums: {@code bf16 -> int8}, {@code dropped from turbo2} or {@code moved to another shard}
     */
    public String kind() {
        if (!from.equals(to)) {
            return from + " -> " + to;
        }
        return fromShard == toShard ? "dropped from " + from : "moved to another shard";
    }
}
