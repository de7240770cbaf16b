package org.pikv4j.cache.control;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.SequenceCache;

/**
 * The pages that may be changed, found once for all that is done between two batches. One that a sequence still writes to, or that
 * somebody holds who is not asked to give way, is none of them.
 */
public final class HeldPages {
    private final PagePool pool;
    private final Protection protection;
    private final List<SequenceCache> caches;
    private final List<SequenceCache> everyone;
    private List<HeldPage> free = new ArrayList<>();
    private List<HeldPage> covered = new ArrayList<>();

    HeldPages(PagePool pool, Protection protection, List<SequenceCache> caches, List<SequenceCache> everyone) {
        this.pool = pool;
        this.protection = protection;
        this.caches = List.copyOf(caches);
        this.everyone = List.copyOf(everyone);
        look();
    }

    /** Finds them anew: there are others. */
    void look() {
        Map<Page, HeldPage> all = new LinkedHashMap<>();
        for (SequenceCache cache : caches) {
            for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
                for (int head = 0; head < cache.tables(layer).size(); head++) {
                    PageTable table = cache.table(layer, head);
                    int token = 0;
                    for (int i = 0; i < table.size(); i++) {
                        if (table.placeable(i)) {
                            HeldPage page = new HeldPage(table.page(i), layer, head);
                            all.computeIfAbsent(table.page(i), any -> page)
                                    .places()
                                    .add(new HeldPage.Place(cache, i, token));
                        }
                        token += table.tokens(i);
                    }
                }
            }
        }
        free = new ArrayList<>();
        covered = new ArrayList<>();
        all.values().stream()
                .filter(page -> pool.references(page.page()) == page.places().size())
                .sorted(Comparator.comparingInt((HeldPage page) -> page.page().position()))
                .forEach(page -> (page.covered(protection) ? covered : free).add(page));
    }

    /**
     * @return those without first and newest tokens, the oldest first
     */
    List<HeldPage> free() {
        return free;
    }

    /**
     * @return those of first and newest tokens, which never go, the oldest first
     */
    List<HeldPage> covered() {
        return covered;
    }

    /** Moves pages of whoever there is together, so that slabs that are nearly empty go back. */
    void gather() {
        Set<Page> all = new LinkedHashSet<>();
        for (SequenceCache cache : everyone) {
            for (PageTable table : cache.tables()) {
                for (int i = 0; i < table.size(); i++) {
                    all.add(table.page(i));
                }
            }
        }
        pool.gather(List.copyOf(all));
    }
}
