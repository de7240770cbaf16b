package org.pikv4j.shard;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.pikv4j.cache.routing.ExpertLoad;
import org.pikv4j.cache.routing.NewPage;
import org.pikv4j.cache.routing.Placement;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PagePlacer;
import org.pikv4j.cache.storage.PagePlacer.Placeable;
import org.pikv4j.cache.storage.SequenceCache;

/**
 * Places all pages anew, when it is told to, or when a {@link RebalanceRule} says so. First on paper: by itself it moves pages only if
 * that makes loads clearly more even, so that a placement that cannot do better is left alone.
 */
final class Rebalancer {
    /** Of the imbalance, what may be left at most for pages to move by themselves. */
    private static final double WORTH = 0.95;

    private final Shards shards;
    private final Optional<RebalanceRule> rule;
    private final MoveListener listener;
    private volatile Count count = new Count(0, ShardMoves.NONE); // written by the engine's thread
    private long looked;

    /**
     * @param times how often pages were placed anew
     * @param moves what that cost
     */
    record Count(long times, ShardMoves moves) {}

    /** A page that can live anywhere. */
    private record Movable(SequenceCache cache, int index, NewPage page, Page held) {
        int expert() {
            return page.expert();
        }
    }

    /** Where pages shall go, in their order, and what the loads would be. */
    private record Plan(Placement placement, List<Integer> shards, LoadSums loads) {}

    Rebalancer(Shards shards, Optional<RebalanceRule> rule, MoveListener listener) {
        this.shards = shards;
        this.rule = rule;
        this.listener = listener;
    }

    Count count() {
        return count;
    }

    /**
     * Places pages anew if the time has come and the loads say so.
     *
     * @param tokens tokens that all sequences have read so far
     * @param caches all sequences
     */
    void look(long tokens, Supplier<List<SequenceCache>> caches) {
        if (rule.filter(of -> tokens - looked >= of.tokens()).isEmpty()) {
            return;
        }
        looked = tokens;
        List<SequenceCache> all = caches.get();
        long started = System.nanoTime();
        double imbalance = LoadSums.of(all, shards, shards.epoch()).imbalance();
        if (imbalance > rule.get().factor()) {
            List<Movable> pages = movable(all);
            Plan plan = plan(pages, all);
            if (plan.loads().imbalance() < WORTH * imbalance) {
                carryOut(plan, pages, started);
            }
        }
    }

    /**
     * @param caches all sequences
     * @return what it cost
     */
    ShardMoves rebalance(List<SequenceCache> caches) {
        long started = System.nanoTime();
        List<Movable> pages = movable(caches);
        return carryOut(plan(pages, caches), pages, started);
    }

    /** All pages that can live anywhere, each once, whoever shares it. */
    private static List<Movable> movable(List<SequenceCache> caches) {
        List<Movable> movable = new ArrayList<>();
        Set<Page> seen = new HashSet<>(); // pages are equal to themselves alone
        for (SequenceCache cache : caches) {
            for (Placeable placeable : cache.placer().orElseThrow().placeable(cache)) {
                NewPage page = placeable.page();
                Page held = cache.table(page.layer(), page.kvHead()).page(placeable.index());
                if (seen.add(held)) {
                    movable.add(new Movable(cache, placeable.index(), page, held));
                }
            }
        }
        // As they came, so that a shard that is new gets pages of all layers.
        movable.sort(Comparator.comparingInt(page -> page.page().position()));
        return movable;
    }

    private Plan plan(List<Movable> pages, List<SequenceCache> caches) {
        LoadSums loads = LoadSums.of(caches, shards, shards.epoch());
        Placement placement = shards.placement().balanced(loads(pages), loads);
        List<Integer> wanted = new ArrayList<>();
        for (Movable page : pages) {
            int now = page.held().shard();
            loads.take(page.held(), page.page().layer(), now); // so that it may stay where it is no more than others
            int next = shards.allShut() ? Page.HERE : Shards.wanted(placement, page.page(), loads);
            loads.put(page.held(), page.page().layer(), next);
            wanted.add(next);
        }
        return new Plan(placement, wanted, loads);
    }

    /** What there is of each expert. */
    private List<ExpertLoad> loads(List<Movable> pages) {
        record Expert(int layer, int expert) {}
        Map<Expert, long[]> bytes = new HashMap<>();
        for (Movable page : pages) {
            long[] sums = bytes.computeIfAbsent(new Expert(page.page().layer(), page.expert()), expert -> new long[2]);
            sums[0] += page.held().layout().pageBytes();
            sums[1] += page.held().readBytes(shards.epoch());
        }
        return bytes.entrySet().stream()
                .map(load -> new ExpertLoad(
                        load.getKey().layer(), load.getKey().expert(), load.getValue()[0], load.getValue()[1]))
                .sorted(Comparator.comparingInt(ExpertLoad::layer).thenComparingInt(ExpertLoad::expert))
                .toList();
    }

    private ShardMoves carryOut(Plan plan, List<Movable> pages, long started) {
        shards.placement(plan.placement());
        long moved = 0;
        long bytes = 0;
        long left = 0;
        for (int i = 0; i < pages.size(); i++) {
            Movable page = pages.get(i);
            int before = page.held().shard();
            if (!shards.moveFrom(
                            before,
                            page.cache(),
                            page.index(),
                            page.page(),
                            plan.shards().get(i))
                    && before != Page.HERE) {
                left++;
            }
            if (page.held().shard() != before) {
                moved++;
                bytes += page.held().layout().pageBytes();
                listener.moved(page.page(), page.held(), before);
            }
        }
        if (moved > 0) {
            nameAnew(pages);
        }
        ShardMoves moves = new ShardMoves(moved, bytes, left, (System.nanoTime() - started) / 1e9);
        count = new Count(count.times() + 1, count.moves().and(moves));
        return moves;
    }

    /** Names follow one another again, page by page: gaps would make queries longer from now on. */
    private void nameAnew(List<Movable> pages) {
        pages.stream()
                .map(page -> page.cache().placer().orElseThrow())
                .distinct()
                .forEach(PagePlacer::nameAnew);
        for (Movable page : pages) {
            if (page.held().shard() != Page.HERE) {
                shards.name(page.cache(), page.page(), page.held());
            }
        }
    }
}
