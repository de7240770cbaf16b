package org.pikv4j.loader.tokenizer;

import java.util.Arrays;

/** Token ids as they are found. */
final class IntList {
    private int[] values = new int[16];
    private int size;

    void add(int value) {
        reserve(1);
        values[size++] = value;
    }

    void addAll(int[] more) {
        reserve(more.length);
        System.arraycopy(more, 0, values, size, more.length);
        size += more.length;
    }

    int size() {
        return size;
    }

    /**
     * @param from index of the first value wanted
     * @return a copy of the values from there on
     */
    int[] from(int from) {
        return Arrays.copyOfRange(values, from, size);
    }

    private void reserve(int more) {
        if (size + more > values.length) {
            values = Arrays.copyOf(values, Math.max(size + more, 2 * values.length));
        }
    }
}
