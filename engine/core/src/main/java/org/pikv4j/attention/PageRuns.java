package org.pikv4j.attention;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageName;

/**
 * In how many runs a message names pages: whole ones whose names follow one another are a run. Their order does not matter, since a
 * shard knows the positions of what it holds.
 */
final class PageRuns {
    private static final Comparator<PageName> ORDER =
            Comparator.comparingLong(PageName::list).thenComparingInt(PageName::entry);

    private int runs;
    private Optional<PageName> last = Optional.empty();
    private boolean ascending = true;

    private PageRuns() {}

    /**
     * @param ranges what is read on one shard
     * @return how many runs name it; a range that is not all of a page is one
     */
    static int count(SlotRanges ranges) {
        PageRuns inTurn = new PageRuns();
        for (int i = 0; i < ranges.size(); i++) {
            inTurn.add(name(ranges, i));
        }
        if (inTurn.ascending) {
            return inTurn.runs; // nearly always
        }
        PageRuns sorted = new PageRuns();
        List<PageName> names = new ArrayList<>();
        for (int i = 0; i < ranges.size(); i++) {
            name(ranges, i).ifPresentOrElse(names::add, () -> sorted.runs++);
        }
        names.sort(ORDER);
        names.forEach(name -> sorted.add(Optional.of(name)));
        return sorted.runs;
    }

    private static Optional<PageName> name(SlotRanges ranges, int index) {
        Page page = ranges.page(index);
        boolean whole = ranges.start(index) == 0 && ranges.end(index) == page.slotsBefore(Integer.MAX_VALUE);
        return whole ? page.name() : Optional.empty();
    }

    private void add(Optional<PageName> name) {
        if (name.isEmpty() || last.filter(before -> follows(before, name.get())).isEmpty()) {
            runs++;
        }
        if (name.isPresent()) {
            ascending &=
                    last.filter(before -> ORDER.compare(before, name.get()) > 0).isEmpty();
            last = name;
        }
    }

    private static boolean follows(PageName before, PageName after) {
        return before.list() == after.list() && before.entry() + 1 == after.entry();
    }
}
