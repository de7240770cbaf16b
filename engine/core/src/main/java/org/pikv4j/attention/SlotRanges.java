package org.pikv4j.attention;

import java.util.Arrays;

/** Ranges of slots in the pages of a table, ascending. */
final class SlotRanges {
    private int[] pages;
    private int[] starts;
    private int[] ends;
    private int size;

    SlotRanges(int room) {
        pages = new int[room];
        starts = new int[room];
        ends = new int[room];
    }

    /**
     * @param page number of a page
     * @param start first slot, not before what is there already
     * @param end one past the last slot
     */
    void add(int page, int start, int end) {
        if (size > 0 && pages[size - 1] == page && ends[size - 1] == start) {
            ends[size - 1] = end;
            return;
        }
        if (size == pages.length) {
            int room = 2 * size + 1;
            pages = Arrays.copyOf(pages, room);
            starts = Arrays.copyOf(starts, room);
            ends = Arrays.copyOf(ends, room);
        }
        pages[size] = page;
        starts[size] = start;
        ends[size] = end;
        size++;
    }

    int size() {
        return size;
    }

    int page(int index) {
        return pages[index];
    }

    int start(int index) {
        return starts[index];
    }

    int end(int index) {
        return ends[index];
    }

    int[] starts(int from, int to) {
        return Arrays.copyOfRange(starts, from, to);
    }

    int[] ends(int from, int to) {
        return Arrays.copyOfRange(ends, from, to);
    }
}
