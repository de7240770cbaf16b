package org.pikv4j.bench.simulate;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** How long each token stayed, in each layer and KV head. */
final class Retention implements Kept {
    private final List<int[]> goneFrom; // (table)(token): the first position whose query does not find it

    /**
     * @param tables number of layers × KV heads
     * @param tokens tokens of the sequence
     */
    Retention(int tables, int tokens) {
        goneFrom = IntStream.range(0, tables)
                .mapToObj(_ -> {
                    int[] all = new int[tokens];
                    Arrays.fill(all, Integer.MAX_VALUE);
                    return all;
                })
                .toList();
    }

    /** Notes that of the tokens before a position only some are left. */
    void left(int table, int position, int[] positions) {
        int[] gone = goneFrom.get(table);
        int next = 0;
        for (int token = 0; token < position; token++) {
            if (next < positions.length && positions[next] == token) {
                next++;
            } else {
                gone[token] = Math.min(gone[token], position);
            }
        }
    }

    /**
     * @param table index of layer and KV head
     * @param token a token's position
     * @param position position of a query
     * @return whether that query finds the token
     */
    boolean has(int table, int token, int position) {
        return position < goneFrom.get(table)[token];
    }

    /**
     * @param table index of layer and KV head
     * @param position a position
     * @return how many tokens before it the query there finds
     */
    int count(int table, int position) {
        return (int) IntStream.range(0, position)
                .filter(token -> has(table, token, position))
                .count();
    }

    /**
     * @param table index of layer and KV head
     * @param position position of a query
     * @return the tokens before it that it finds, ascending
     */
    int[] tokens(int table, int position) {
        return IntStream.range(0, position)
                .filter(token -> has(table, token, position))
                .toArray();
    }

    @Override
    public Tally of(int table, int position, int first, double[] shares, int top) {
        int[] gone = goneFrom.get(table);
        double mass = 0;
        for (int t = first; t <= position; t++) {
            mass += position < gone[t] ? shares[t] : 0;
        }
        return new Tally(1, has(table, top, position) ? 1 : 0, mass);
    }
}
