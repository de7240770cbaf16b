package org.pikv4j.session;

import java.util.Arrays;

/** A growing list of token ids. */
final class TokenList {
    private int[] ids;
    private int size;

    TokenList() {
        this(new int[16], 0);
    }

    private TokenList(int[] ids, int size) {
        this.ids = ids;
        this.size = size;
    }

    int size() {
        return size;
    }

    /** The backing array: valid up to {@link #size()}, and until something is added. */
    int[] ids() {
        return ids;
    }

    void add(int... more) {
        if (size + more.length > ids.length) {
            ids = Arrays.copyOf(ids, Math.max(size + more.length, 2 * ids.length));
        }
        System.arraycopy(more, 0, ids, size, more.length);
        size += more.length;
    }

    void truncate(int newSize) {
        size = newSize;
    }

    int commonPrefix(int[] other) {
        int mismatch = Arrays.mismatch(ids, 0, size, other, 0, other.length);
        return mismatch < 0 ? size : mismatch;
    }

    int[] toArray() {
        return Arrays.copyOf(ids, size);
    }

    TokenList copy() {
        return new TokenList(toArray(), size);
    }
}
