package org.pikv4j.bench.simulate;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/** What each step read, in each layer and KV head, where nothing is evicted and not all of it is read. */
final class TokensRead implements Kept {
    private final int from;
    private final List<List<BitSet>> read; // (table)(step)(token)
    private long tokens;
    private long visible;

    /**
     * @param tables number of layers × KV heads
     * @param from position of the first step
     */
    TokensRead(int tables, int from) {
        this.from = from;
        read = IntStream.range(0, tables)
                .<List<BitSet>>mapToObj(_ -> new ArrayList<>())
                .toList();
    }

    /** Notes the next step of a layer and KV head. */
    void add(int table, int[] positions) {
        BitSet found = new BitSet();
        for (int position : positions) {
            found.set(position);
        }
        tokens += positions.length;
        visible += from + read.get(table).size() + 1;
        read.get(table).add(found);
    }

    @Override
    public Tally of(int table, int position, int first, double[] shares, int top) {
        BitSet found = read.get(table).get(position - from);
        double mass = 0;
        for (int t = found.nextSetBit(first); t >= 0 && t <= position; t = found.nextSetBit(t + 1)) {
            mass += shares[t];
        }
        return new Tally(1, found.get(top) ? 1 : 0, mass);
    }

    /**
     * @param table index of layer and KV head
     * @param position position of a step
     * @return positions of the tokens that it read, ascending
     */
    int[] tokens(int table, int position) {
        return read.get(table).get(position - from).stream().toArray();
    }

    /** Tokens read, over all steps. */
    long tokens() {
        return tokens;
    }

    /** Tokens that were there to be read. */
    long visible() {
        return visible;
    }
}
