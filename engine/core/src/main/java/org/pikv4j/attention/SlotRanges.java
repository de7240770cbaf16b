package org.pikv4j.attention;

import java.util.Arrays;
import org.pikv4j.cache.storage.Page;

/** Ranges of slots in the pages of a table, ascending. */
final class SlotRanges {
    private Page[] pages;
    private int[] numbers;
    private int[] starts;
    private int[] ends;
    private int size;

    SlotRanges(int room) {
        pages = new Page[room];
        numbers = new int[room];
        starts = new int[room];
        ends = new int[room];
    }

    /**
     * @param page a page
     * @param number its place in its table
     * @param start first slot, not before what is there already
     * @param end one past the last slot
     */
    void add(Page page, int number, int start, int end) {
        if (size > 0 && numbers[size - 1] == number && ends[size - 1] == start) {
            ends[size - 1] = end;
            return;
        }
        if (size == pages.length) {
            int room = 2 * size + 1;
            pages = Arrays.copyOf(pages, room);
            numbers = Arrays.copyOf(numbers, room);
            starts = Arrays.copyOf(starts, room);
            ends = Arrays.copyOf(ends, room);
        }
        pages[size] = page;
        numbers[size] = number;
        starts[size] = start;
        ends[size] = end;
        size++;
    }

    int size() {
        return size;
    }

    Page page(int index) {
        return pages[index];
    }

    /** The page's place in its table. */
    int number(int index) {
        return numbers[index];
    }

    int start(int index) {
        return starts[index];
    }

    int end(int index) {
        return ends[index];
    }

    int[] ends() {
        return Arrays.copyOf(ends, size);
    }

    /** The ranges from one to before another. */
    SlotRanges part(int from, int to) {
        SlotRanges part = new SlotRanges(0);
        part.pages = Arrays.copyOfRange(pages, from, to);
        part.numbers = Arrays.copyOfRange(numbers, from, to);
        part.starts = Arrays.copyOfRange(starts, from, to);
        part.ends = Arrays.copyOfRange(ends, from, to);
        part.size = to - from;
        return part;
    }
}
