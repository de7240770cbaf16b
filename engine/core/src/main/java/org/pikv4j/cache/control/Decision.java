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
        double error,
        long bytes,
        String reason) {

    /**
     * @return what kind of decision it is, for sums: {@code bf16 -> int8} or {@code dropped from turbo2}
     */
    public String kind() {
        return from.equals(to) ? "dropped from " + from : from + " -> " + to;
    }
}
