package org.pikv4j.loader.tokenizer;

import java.util.Arrays;

/**
 * Which pairs of tokens merge, in which order and to what: a hash table without boxes, because it is asked once or
 * twice for every character of a prompt and a vocabulary has some hundred thousand merges.
 */
final class MergeTable {
    private static final long EMPTY = -1;

    // Open addressing with linear probing, at most half full. Keys are (left id, right id), both below 2^31.
    private final long[] keys;
    private final int[] ranks;
    private final int[] merged;
    private final int mask;

    /**
     * @param capacity how many pairs will be put at most
     */
    MergeTable(int capacity) {
        int slots = Integer.highestOneBit(Math.max(capacity, 1)) * 4;
        keys = new long[slots];
        Arrays.fill(keys, EMPTY);
        ranks = new int[slots];
        merged = new int[capacity];
        mask = slots - 1;
    }

    /**
     * A pair that is already there changes its rank.
     *
     * @param left id of the left token
     * @param right id of the right token
     * @param rank the place in the order of merges, below the capacity
     * @param mergedId id of what they become
     */
    void put(int left, int right, int rank, int mergedId) {
        int slot = slot(key(left, right));
        keys[slot] = key(left, right);
        ranks[slot] = rank;
        merged[rank] = mergedId;
    }

    /**
     * @param left id of the left token
     * @param right id of the right token
     * @return the rank of their merge, or -1 if they do not merge
     */
    int rank(int left, int right) {
        int slot = slot(key(left, right));
        return keys[slot] == EMPTY ? -1 : ranks[slot];
    }

    /**
     * @param rank a rank that {@link #rank} returned
     * @return id of what the pair becomes
     */
    int merged(int rank) {
        return merged[rank];
    }

    private static long key(int left, int right) {
        return (long) left << 32 | right;
    }

    private int slot(long key) {
        // The finalizer of MurmurHash3.
        long hash = (key ^ key >>> 33) * 0xff51afd7ed558ccdL;
        hash = (hash ^ hash >>> 33) * 0xc4ceb9fe1a85ec53L;
        int slot = (int) (hash ^ hash >>> 33) & mask;
        while (keys[slot] != EMPTY && keys[slot] != key) {
            slot = slot + 1 & mask;
        }
        return slot;
    }
}
