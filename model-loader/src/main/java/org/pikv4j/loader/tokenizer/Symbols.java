package org.pikv4j.loader.tokenizer;

import java.util.Arrays;

/**
 * The tokens of one piece of text while pairs of them merge: a linked list in arrays, and a heap of the pairs that may
 * merge. A piece of n characters takes O(n log n) steps; without a pre-tokenizer the piece is the whole text.
 *
 * <p>The pair of the lowest rank merges first, of equal ones the leftmost. The heap is not searched for pairs that a
 * merge has destroyed: they are noticed when they come up, because another pair stands in their place.
 */
final class Symbols {
    private static final int NONE = -1;

    private int[] ids;
    private int[] previous;
    private int[] next;
    private int size;
    /** A binary heap of (rank, position), the smallest first. */
    private long[] heap = {};

    private int heapSize;

    /**
     * @param capacity the expected number of symbols
     */
    Symbols(int capacity) {
        ids = new int[capacity];
        previous = new int[capacity];
        next = new int[capacity];
    }

    void add(int id) {
        if (size == ids.length) {
            int larger = Math.max(8, 2 * size);
            ids = Arrays.copyOf(ids, larger);
            previous = Arrays.copyOf(previous, larger);
            next = Arrays.copyOf(next, larger);
        }
        ids[size] = id;
        previous[size] = size - 1;
        next[size] = size + 1;
        size++;
    }

    /**
     * Merges until no pair can and appends what is left.
     *
     * @param merges which pairs merge
     * @param out receives the ids
     */
    void merge(MergeTable merges, IntList out) {
        if (size == 0) {
            return;
        }
        next[size - 1] = NONE;
        heap = new long[size + 1];
        for (int at = 0; at < size - 1; at++) {
            offer(merges, at);
        }
        while (heapSize > 0) {
            long pair = poll();
            int at = (int) pair;
            int merged = merges.merged((int) (pair >>> 32));
            int right = ids[at] == NONE ? NONE : next[at];
            if (right == NONE) {
                continue;
            }
            int rank = merges.rank(ids[at], ids[right]);
            if (rank < 0 || merges.merged(rank) != merged) {
                continue;
            }
            ids[at] = merged;
            ids[right] = NONE;
            next[at] = next[right];
            if (next[at] != NONE) {
                previous[next[at]] = at;
                offer(merges, at);
            }
            if (previous[at] != NONE) {
                offer(merges, previous[at]);
            }
        }
        for (int at = 0; at != NONE; at = next[at]) {
            out.add(ids[at]);
        }
    }

    private void offer(MergeTable merges, int left) {
        int rank = merges.rank(ids[left], ids[next[left]]);
        if (rank < 0) {
            return;
        }
        if (heapSize == heap.length) {
            heap = Arrays.copyOf(heap, 2 * heapSize);
        }
        long pair = (long) rank << 32 | left;
        int hole = heapSize++;
        while (hole > 0 && heap[(hole - 1) / 2] > pair) {
            heap[hole] = heap[(hole - 1) / 2];
            hole = (hole - 1) / 2;
        }
        heap[hole] = pair;
    }

    private long poll() {
        long smallest = heap[0];
        long last = heap[--heapSize];
        int hole = 0;
        for (int child = 1; child < heapSize; child = 2 * hole + 1) {
            if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= last) {
                break;
            }
            heap[hole] = heap[child];
            hole = child;
        }
        heap[hole] = last;
        return smallest;
    }
}
