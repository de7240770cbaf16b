package org.pikv4j.bench.simulate;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How far apart the reads of a page are. The reuse distance of a page is the number of other pages read between two reads of it
 * (Mattson et al., "Evaluation techniques for storage hierarchies", IBM Systems Journal 9, 1970, where it is the stack distance);
 * a least-recently-used list of S pages finds a page again whose reuse distance is below S.
 *
 * <p>A step reads a page if it pays the page's tokens, together, more attention than if it paid the same to all tokens that it
 * sees, or if its top token is there. It reads its pages in the order of their positions. Each layer and KV head has pages and a
 * list of its own.
 */
final class ReuseDistances {
    /** Tokens per page: the granularity that pages may have at the least. */
    static final int PAGE_TOKENS = 16;

    private final int[] capacities;
    private final long[] distances; // (distance): how many reads
    private final long[] hits; // (capacity): what lists found
    private long firstReads;

    /**
     * @param pages the most pages that a sequence has
     */
    ReuseDistances(int pages) {
        distances = new long[Math.max(1, pages)];
        capacities = new int[33 - Integer.numberOfLeadingZeros(Math.max(1, pages - 1))];
        Arrays.setAll(capacities, i -> 1 << i);
        hits = new long[capacities.length];
    }

    int pages() {
        return distances.length;
    }

    /** The reads of one layer and KV head. */
    final class Reads {
        private final int[] recent = new int[distances.length]; // pages, the one read last first
        private final LruList[] lists = new LruList[capacities.length];
        private int size;

        Reads() {
            Arrays.setAll(lists, i -> new LruList(capacities[i]));
        }

        /** Takes notice of a step. */
        void note(int position, int first, double[] shares, int top) {
            int visible = position - first + 1;
            for (int page = first / PAGE_TOKENS; page <= position / PAGE_TOKENS; page++) {
                int from = Math.max(first, page * PAGE_TOKENS);
                int to = Math.min(position + 1, (page + 1) * PAGE_TOKENS);
                double share = 0;
                for (int t = from; t < to; t++) {
                    share += shares[t];
                }
                if (share * visible > to - from || top / PAGE_TOKENS == page) {
                    read(page);
                }
            }
        }

        void read(int page) {
            int distance = 0;
            while (distance < size && recent[distance] != page) {
                distance++;
            }
            boolean again = distance < size;
            if (again) {
                distances[distance]++;
            } else {
                firstReads++;
                size++;
            }
            System.arraycopy(recent, 0, recent, 1, distance);
            recent[0] = page;
            for (int i = 0; i < lists.length; i++) {
                if (lists[i].read(page)) {
                    hits[i]++;
                }
            }
        }
    }

    /** So many pages, of which the one that was read longest ago makes room. */
    private static final class LruList {
        private final Map<Integer, Boolean> pages = new LinkedHashMap<>(16, 0.75f, true);
        private final int capacity;

        LruList(int capacity) {
            this.capacity = capacity;
        }

        boolean read(int page) {
            if (pages.get(page) != null) {
                return true;
            }
            if (pages.size() == capacity) {
                pages.remove(pages.keySet().iterator().next());
            }
            pages.put(page, true);
            return false;
        }
    }

    /** Adds another layer, head or sequence. */
    synchronized void add(ReuseDistances other) {
        firstReads += other.firstReads;
        for (int d = 0; d < other.distances.length; d++) {
            distances[d] += other.distances[d];
        }
        for (int i = 0; i < hits.length; i++) {
            // A list that is too long for a sequence finds what the longest one finds.
            hits[i] += other.hits[Math.min(i, other.hits.length - 1)];
        }
    }

    Reuse summary() {
        long again = Arrays.stream(distances).sum();
        Reuse.Capacity[] rows = new Reuse.Capacity[capacities.length];
        long below = 0;
        int distance = 0;
        for (int i = 0; i < rows.length; i++) {
            long before = below;
            for (; distance < Math.min(capacities[i], distances.length); distance++) {
                below += distances[distance];
            }
            rows[i] = new Reuse.Capacity(
                    capacities[i],
                    again == 0 ? 0 : (double) (below - before) / again,
                    again == 0 ? 0 : (double) below / again,
                    again == 0 ? 0 : (double) hits[i] / again);
        }
        return new Reuse(PAGE_TOKENS, again + firstReads, firstReads, Arrays.asList(rows));
    }
}
