package org.pikv4j.cache.storage;

import java.util.Arrays;
import java.util.BitSet;

/**
 * Numbers that an eviction policy keeps for each token of a table, column by column, in the table's order, and some for all of
 * them together. A new token has zeros.
 */
public final class TokenColumns {
    private static final int FIRST_ROOM = 256;

    private final float[][] columns;
    private final float[] together;
    private int size;

    /**
     * @param columns how many numbers are kept for each token
     * @param together how many for all of them together
     */
    TokenColumns(int columns, int together) {
        this.together = new float[together];
        this.columns = new float[columns][];
        Arrays.setAll(this.columns, i -> new float[FIRST_ROOM]);
    }

    private TokenColumns(TokenColumns other) {
        columns = new float[other.columns.length][];
        Arrays.setAll(columns, i -> other.columns[i].clone());
        together = other.together.clone();
        size = other.size;
    }

    /**
     * @return number of tokens
     */
    public int size() {
        return size;
    }

    /**
     * @param index which number
     * @return it, for each token; valid until the sequence grows or shrinks, and longer than there are tokens
     */
    public float[] column(int index) {
        return columns[index];
    }

    /**
     * @return the numbers kept for all tokens together; zeros at first, and untouched when tokens go
     */
    public float[] together() {
        return together;
    }

    void add() {
        for (int i = 0; i < columns.length; i++) {
            if (size == columns[i].length) {
                columns[i] = Arrays.copyOf(columns[i], 2 * size);
            }
            columns[i][size] = 0f;
        }
        size++;
    }

    /** Forgets tokens from {@code first} on. */
    void truncate(int first) {
        size = Math.min(size, first);
    }

    /** Forgets some tokens; those behind move up. */
    void remove(int first, int count) {
        for (float[] column : columns) {
            System.arraycopy(column, first + count, column, first, size - first - count);
        }
        size -= count;
    }

    /**
     * Forgets some of the tokens from {@code first} on.
     *
     * @param first the first that may go
     * @param count how many may
     * @param kept which of them stay, counted from {@code first}
     */
    void keep(int first, int count, BitSet kept) {
        int into = first;
        for (int token = first; token < size; token++) {
            if (token >= first + count || kept.get(token - first)) {
                for (float[] column : columns) {
                    column[into] = column[token];
                }
                into++;
            }
        }
        size = into;
    }

    TokenColumns copy() {
        return new TokenColumns(this);
    }
}
