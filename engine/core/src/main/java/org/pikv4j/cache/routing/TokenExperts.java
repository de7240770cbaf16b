package org.pikv4j.cache.routing;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.pikv4j.cache.storage.Page;

/** The expert that each token's gate preferred, layer by layer, when it was read. */
public final class TokenExperts {
    private static final int FIRST_ROOM = 64;

    private final List<Gate> gates = new ArrayList<>(); // by layer, as far as they are known

    /** A layer's first choices, by position. */
    private static final class Gate {
        short[] chosen = {};
        int experts;
    }

    /**
     * @param tokens length of a sequence
     * @return heap bytes of one layer's choices; room for up to as many again is there while the sequence grows
     */
    public static long bytes(int tokens) {
        return (long) Short.BYTES * tokens;
    }

    /**
     * @return the same for a copy of the sequence
     */
    public TokenExperts copy() {
        TokenExperts copy = new TokenExperts();
        for (Gate gate : gates) {
            Gate other = new Gate();
            other.chosen = gate.chosen.clone();
            other.experts = gate.experts;
            copy.gates.add(other);
        }
        return copy;
    }

    /**
     * A layer's gate has chosen for rows about to be committed.
     *
     * @param layer index of the layer
     * @param position position of the first of them
     * @param chosen each row's first choice
     * @param count experts that there are
     */
    public void note(int layer, int position, int[] chosen, int count) {
        while (gates.size() <= layer) {
            gates.add(new Gate());
        }
        Gate gate = gates.get(layer);
        gate.experts = count;
        int end = position + chosen.length;
        if (end > gate.chosen.length) {
            gate.chosen = Arrays.copyOf(gate.chosen, Math.max(end, Math.max(FIRST_ROOM, 2 * gate.chosen.length)));
        }
        for (int i = 0; i < chosen.length; i++) {
            gate.chosen[position + i] = (short) chosen[i];
        }
    }

    /**
     * @param layer index of a layer
     * @param page one of its pages
     * @param tokens how many tokens it holds
     * @return how many of them each expert was the first choice of; empty for a layer without a gate
     */
    public int[] votes(int layer, Page page, int tokens) {
        if (layer >= gates.size()) {
            return new int[0];
        }
        Gate gate = gates.get(layer);
        int[] votes = new int[gate.experts];
        for (int slot = 0; slot < tokens && gate.experts > 0; slot++) {
            votes[gate.chosen[page.position(slot)]]++;
        }
        return votes;
    }

    /**
     * @param votes how many tokens each expert was the first choice of
     * @return the expert that most tokens chose, the first of equals; -1 without a gate
     */
    public static int most(int[] votes) {
        int best = -1;
        for (int e = 0; e < votes.length; e++) {
            best = best < 0 || votes[e] > votes[best] ? e : best;
        }
        return best;
    }
}
