package org.pikv4j.cache.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pikv4j.TestSeeds;
import org.pikv4j.cache.compression.Codec;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.scheduling.BudgetShare;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.cache.scheduling.TokenBudget;
import org.pikv4j.cache.scheduling.policies.FlexGen;
import org.pikv4j.cache.storage.CacheLayout.Layer;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;

class SequenceCacheTest {
    private static final int HEAD_DIM = 8;
    private static final int WINDOW = 40;
    private static final int LARGEST_PAGE = 2048;
    private static final int BUDGET = 128;
    private static final int SINKS = 3;
    private static final int NEWEST = 20;
    /** So few that a budget suffices for pages that must stay as a whole. */
    private static final int NEWEST_MOVABLE = 16;

    private final HeldMemory memory = new HeldMemory();

    @TempDir
    Path directory;

    private int evictions; // by a schedule
    private static final AttentionSpec SPEC = new AttentionSpec(
            1, 1, HEAD_DIM, 1f, AttentionSpec.FULL, new RopeSpec(1e4, HEAD_DIM), AttentionSpec.QkNorm.NONE, 1e9f);

    /** Small whole numbers, without loss, in a byte each. */
    private record Bytes() implements Codec {
        @Override
        public String name() {
            return "bytes";
        }

        @Override
        public int bytes(HalfShape shape) {
            return shape.elements();
        }

        @Override
        public void encode(HalfShape shape, float[] in, MemorySegment out) {
            for (int i = 0; i < shape.elements(); i++) {
                out.set(ValueLayout.JAVA_BYTE, i, (byte) in[i]);
            }
        }

        @Override
        public void decode(HalfShape shape, MemorySegment in, float[] out) {
            for (int i = 0; i < shape.elements(); i++) {
                out[i] = in.get(ValueLayout.JAVA_BYTE, i);
            }
        }
    }

    /** Two heads that are compressed in different ways, and a layer that is not. */
    private static CacheLayout compressed(int window) {
        PageLayout open = new PageLayout(new PageForm(Codecs.F32), 16, HEAD_DIM, PageRoom.POSITIONS);
        PageLayout bytes = new PageLayout(new PageForm(new Bytes()), 16, HEAD_DIM, PageRoom.POSITIONS);
        PageLayout half = new PageLayout(
                new PageForm(new HalfForm(Codecs.F32), new HalfForm(new Bytes())), 16, HEAD_DIM, PageRoom.POSITIONS);
        PageLayout large = new PageLayout(new PageForm(Codecs.BF16), 32, HEAD_DIM, PageRoom.POSITIONS);
        return new CacheLayout(
                List.of(new Layer(open, List.of(bytes, half), AttentionSpec.FULL), new Layer(large, 1, window)),
                new Residual(20, 4, 32));
    }

    private static CacheLayout layout(int window) {
        PageLayout small = new PageLayout(new PageForm(Codecs.F32), 16, HEAD_DIM, PageRoom.POSITIONS);
        PageLayout large = new PageLayout(new PageForm(Codecs.BF16), 32, HEAD_DIM, PageRoom.POSITIONS);
        return new CacheLayout(
                List.of(new Layer(small, 2, AttentionSpec.FULL), new Layer(large, 1, window)), Residual.DEFAULT);
    }

    /** A sequence and what it must hold: by layer and head, the value of each position that was not evicted. */
    private static final class Shadow {
        final SequenceCache cache;
        final List<Map<Integer, Float>> heads = new ArrayList<>();
        /** Whether tokens were taken away that a schedule would have protected. */
        boolean cut;

        Shadow(SequenceCache cache) {
            this.cache = cache;
            for (int i = 0; i < 3; i++) {
                heads.add(new TreeMap<>());
            }
        }

        PageTable table(int head) {
            return head < 2 ? cache.table(0, head) : cache.table(1, 0);
        }
    }

    @Test
    void randomisedOperationsKeepContentsCountsAndAccounts() {
        randomisedOperations(layout(WINDOW), Optional::empty);
    }

    @Test
    void soTheyDoWhereFullPagesAreSealedAtAnyTime() {
        randomisedOperations(compressed(WINDOW), Optional::empty);
    }

    @Test
    void aBudgetHoldsWhateverHappens() {
        randomisedOperations(scheduled(false), SequenceCacheTest::schedule);
    }

    @Test
    void itHoldsWhereFullPagesAreSealed() {
        randomisedOperations(scheduled(true), SequenceCacheTest::schedule);
    }

    @Test
    void soItDoesWithASecondTierThatForgetsNothing() {
        randomisedOperations(scheduled(false), this::placement);
    }

    @Test
    void soItDoesWithASecondTierForSealedPages() {
        randomisedOperations(scheduled(true), this::placement);
    }

    /** The oldest pages beyond the sinks go. */
    private Optional<CacheSchedule> placement() {
        return Optional.of(new CacheSchedule(
                Optional.of(new PolicyChoice(
                        new FlexGen(new TierDirectory(directory, Long.MAX_VALUE)),
                        new Protection(SINKS, NEWEST_MOVABLE))),
                Optional.of(TokenBudget.parse(BUDGET + "tok")),
                scheduled(true),
                Collections.nCopies(scheduled(true).layers().size(), SPEC),
                32));
    }

    /** Now and then one with hardly any room. */
    private SecondTier tier(SplittableRandom random, Queue<Runnable> reading) {
        long most = random.nextInt(4) == 0 ? 30_000 : Long.MAX_VALUE;
        return new SecondTier(new TierDirectory(directory, most), reading::add);
    }

    /** Pages of one size, as an engine has them. */
    private static CacheLayout scheduled(boolean compressed) {
        PageLayout open = new PageLayout(new PageForm(Codecs.F32), 16, HEAD_DIM, PageRoom.POSITIONS);
        PageLayout bytes = new PageLayout(new PageForm(new Bytes()), 16, HEAD_DIM, PageRoom.POSITIONS);
        Layer exact = new Layer(open, 1, AttentionSpec.FULL);
        return new CacheLayout(
                List.of(
                        compressed
                                ? new Layer(open, List.of(bytes, bytes), AttentionSpec.FULL)
                                : new Layer(open, 2, AttentionSpec.FULL),
                        exact),
                new Residual(16, SINKS, 16));
    }

    /** Thinks little of every third token, and shares the budget out unevenly. */
    private static Optional<CacheSchedule> schedule() {
        EvictionPolicy policy = new EvictionPolicy() {
            @Override
            public String name() {
                return "thirds";
            }

            @Override
            public int columns() {
                return 2;
            }

            @Override
            public void score(HeadTokens tokens, float[] scores) {
                for (int i = 0; i < scores.length; i++) {
                    scores[i] = tokens.positions()[i] % 3;
                }
            }

            @Override
            public int[] quotas(BudgetShare share) {
                int[] quotas = share.even();
                if (quotas.length == 2) {
                    int moved = Math.min(10, share.tokens() - share.least());
                    quotas[0] += moved;
                    quotas[1] -= moved;
                }
                return quotas;
            }
        };
        return Optional.of(new CacheSchedule(
                Optional.of(new PolicyChoice(policy, new Protection(SINKS, NEWEST))),
                Optional.of(TokenBudget.parse(BUDGET + "tok")),
                scheduled(true),
                Collections.nCopies(scheduled(true).layers().size(), SPEC),
                32));
    }

    private void randomisedOperations(CacheLayout layout, Supplier<Optional<CacheSchedule>> schedule) {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        boolean scheduled = schedule.get().isPresent();
        boolean evicting = schedule.get().stream().anyMatch(s -> s.columns() > 0);
        boolean moving = scheduled && !evicting;
        Queue<Runnable> reading = new ArrayDeque<>();
        int most = scheduled ? 5 : Integer.MAX_VALUE; // few, that become long enough to be evicted from
        PagePool pool = new PagePool(memory, scheduled ? 90_000 : 300_000);
        Queue<Runnable> sealing = new ArrayDeque<>();
        List<Shadow> open = new ArrayList<>();
        int refused = 0;
        long moved = 0;
        for (int step = 0; step < 20_000; step++) {
            String message = TestSeeds.repeat(seed) + ", step " + step;
            int what = random.nextInt(100);
            Shadow shadow = open.isEmpty() ? null : open.get(random.nextInt(open.size()));
            if (shadow == null || what < 4 && open.size() < most) {
                Optional<SecondTier> tier = moving ? Optional.of(tier(random, reading)) : Optional.empty();
                open.add(new Shadow(new SequenceCache(
                        layout,
                        pool,
                        sealing::add,
                        new CacheManagers(schedule.get(), tier, Optional.empty(), Optional.empty()))));
            } else if (what < 70) {
                shadow.cache.prefetch(random.nextInt(2));
                boolean appended = append(shadow, random, moving);
                refused += appended ? 0 : 1;
                if (moving && !appended) {
                    checkContents(shadow, message);
                }
                if (scheduled && !appended) {
                    shadow.cache.close();
                    open.remove(shadow);
                }
            } else if (what < 78 && open.size() < most) {
                Shadow fork = new Shadow(shadow.cache.fork());
                fork.cut = shadow.cut;
                for (int h = 0; h < 3; h++) {
                    fork.heads.get(h).putAll(shadow.heads.get(h));
                }
                open.add(fork);
            } else if (what < 86) {
                truncate(shadow, random, pool, moving);
            } else if (moving && what < 90) {
                shrink(shadow.cache);
            } else if (what < (scheduled ? 87 : 92)) {
                evict(shadow, random);
            } else if (what > 97 || !scheduled) {
                shadow.cache.close();
                shadow.cache.close();
                open.remove(shadow);
            }
            while (!sealing.isEmpty() && random.nextInt(3) > 0) {
                sealing.remove().run();
            }
            while (!reading.isEmpty() && random.nextInt(3) > 0) {
                reading.remove().run(); // of sequences that may be closed
            }
            moved += pool.usage().tier().heldBytes();
            checkAccounts(pool, open, sealing.isEmpty(), message);
            if (!open.isEmpty()) {
                checkContents(open.get(random.nextInt(open.size())), message);
            }
        }
        assertThat(refused > 0 || scheduled)
                .as("budget reached, %s", TestSeeds.repeat(seed))
                .isTrue();
        assertThat(evictions > 200).as("evictions: %d", evictions).isEqualTo(evicting);
        assertThat(moved > 0).isEqualTo(moving);
        open.forEach(shadow -> shadow.cache.close());
        sealing.forEach(Runnable::run);
        reading.forEach(Runnable::run);
        assertThat(directory).isEmptyDirectory();
        assertThat(pool.usage().tier().fileBytes()).isZero();
        assertThat(pool.usage().heldBytes()).isZero();
        assertThat(pool.usage().openBytes()).isZero();
        assertThat(pool.usage().refusedPages() > 0).isEqualTo(layout.compressed());
        assertThat(memory.bytes()).isZero();
        pool.close();
    }

    @Test
    void aPageThatCannotBeSealedGivesBackTheRoomForItsSealedForm() {
        PagePool pool = new PagePool(memory, 1 << 20);
        SequenceCache cache = new SequenceCache(compressed(WINDOW), pool, Runnable::run);
        float[] row = new float[HEAD_DIM];
        for (int i = 0; i < 96; i++) {
            cache.reserve(1);
            row[0] = i == 20 ? Float.POSITIVE_INFINITY : i; // in the second page, which is not a sink
            cache.table(0, 0).append(row, 0, row, 0);
            row[0] = i;
            cache.table(0, 1).append(row, 0, row, 0);
            cache.table(1, 0).append(row, 0, row, 0);
            cache.commit(1);
        }
        cache.reserve(1);
        cache.rollback();
        PageTable bad = cache.table(0, 0);
        assertThat(bad.page(1).layout()).isEqualTo(bad.page(0).layout());
        assertThat(bad.page(2).layout()).isNotEqualTo(bad.page(0).layout());
        assertThat(pool.usage().refusedPages()).isEqualTo(1);
        assertThat(pool.usage().encodedPages()).isPositive();
        long held = 0;
        for (PageTable table : List.of(bad, cache.table(0, 1), cache.table(1, 0))) {
            held += table.bytes();
        }
        assertThat(pool.usage().heldBytes()).isEqualTo(held);
        assertThat(bad.page(1).target()).isEmpty();
        cache.close();
        assertThat(pool.usage().heldBytes()).isZero();
        assertThat(pool.usage().openBytes()).isZero();
        pool.close();
    }

    private static void shrink(SequenceCache cache) {
        long held = cache.bytes();
        long onTier = cache.tierBytes();
        try {
            cache.shrink();
            assertThat(cache.bytes() + cache.tierBytes()).isEqualTo(held + onTier);
        } catch (KvBudgetExceededException e) {
            assertThat(e).hasMessageContaining("second tier").hasMessageNotContaining("\n");
        }
    }

    private boolean append(Shadow shadow, SplittableRandom random, boolean moving) {
        SequenceCache cache = shadow.cache;
        int rows = Math.min(cache.rowsToNextChange(), 1 + random.nextInt(random.nextInt(5) == 0 ? 60 : 4));
        int before = cache.length();
        try {
            cache.schedule().ifPresent(schedule -> schedule.expect(before + (rows > 4 ? 2 * rows : rows)));
            cache.reserve(rows);
        } catch (KvBudgetExceededException e) {
            assertThat(cache.length()).isEqualTo(before);
            if (cache.schedule().isPresent() && !moving) {
                for (int h = 0; h < 3; h++) {
                    shadow.heads
                            .get(h)
                            .keySet()
                            .retainAll(contents(shadow.table(h)).keySet());
                }
            }
            return false;
        }
        if (cache.schedule().isPresent()) {
            checkBudget(shadow);
        }
        boolean commit = random.nextInt(10) > 0;
        for (int h = 0; h < 3; h++) {
            for (int r = 0; r < rows; r++) {
                float value = random.nextInt(50) == 0 ? Float.NaN : random.nextInt(100);
                float[] row = new float[HEAD_DIM];
                Arrays.fill(row, value);
                shadow.table(h).append(row, 0, row, 0);
                if (commit) {
                    shadow.heads.get(h).put(before + r, value);
                }
            }
        }
        if (commit) {
            cache.commit(rows);
        } else {
            cache.rollback();
        }
        return true;
    }

    /** What was evicted is not among what is protected, and no table has a page too many. */
    private void checkBudget(Shadow shadow) {
        int length = shadow.cache.length();
        int pages = 0;
        for (int h = 0; h < 3; h++) {
            Set<Integer> held = contents(shadow.table(h)).keySet();
            for (int position : shadow.heads.get(h).keySet()) {
                if (!shadow.cut && (position < SINKS || position >= length - NEWEST)) {
                    assertThat(held).contains(position);
                }
            }
            evictions += shadow.heads.get(h).keySet().retainAll(held) ? 1 : 0;
            pages += shadow.table(h).memoryPages();
        }
        assertThat(pages).isLessThanOrEqualTo(3 * BUDGET / 16);
    }

    private static void truncate(Shadow shadow, SplittableRandom random, PagePool pool, boolean moving) {
        int most = shadow.cache.schedule().isPresent() && !moving ? 8 : random.nextBoolean() ? 30 : 200;
        int wanted = shadow.cache.length() - random.nextInt(Math.min(shadow.cache.length(), most) + 1);
        int kept = shadow.cache.truncate(wanted);
        shadow.cut = true;
        if (shadow.cache.layout().compressed()) {
            assertThat(kept).isBetween(0, wanted); // the start of a sealed page, wherever evictions have left one
        } else {
            assertThat(kept).isIn(wanted, 0);
        }
        for (int h = 0; h < 3; h++) {
            Map<Integer, Float> expected = shadow.heads.get(h);
            expected.keySet().removeIf(position -> position >= kept);
            Map<Integer, Float> held = contents(shadow.table(h));
            CacheUsage usage = pool.usage();
            if (!moving
                    && held.size() < expected.size()
                    && usage.budgetBytes() - usage.reservedBytes() < LARGEST_PAGE) {
                expected.keySet().retainAll(held.keySet()); // no room to copy a shared page that had to be cut
            }
        }
    }

    private static void evict(Shadow shadow, SplittableRandom random) {
        shadow.cut = true;
        for (int h = 0; h < 3; h++) {
            PageTable table = shadow.table(h);
            int pages = table.evictablePages();
            BitSet kept = new BitSet();
            int token = 0;
            double share = random.nextInt(3) * 0.5; // nothing, something, everything
            for (int p = 0; p < pages; p++) {
                for (int slot = 0; slot < table.tokens(p); slot++, token++) {
                    if (random.nextDouble() < share) {
                        kept.set(token);
                    } else {
                        shadow.heads.get(h).remove(table.page(p).position(slot));
                    }
                }
            }
            int left = table.size() - pages + table.pagesKept(kept);
            try {
                shadow.cache.keep(h / 2, h % 2, kept);
            } catch (KvBudgetExceededException e) {
                // Runs of pages that stand behind one that is shared have changed, the others have not.
                shadow.heads.get(h).clear();
                shadow.heads.get(h).putAll(contents(table));
                continue;
            }
            assertThat(table.size()).isEqualTo(left);
        }
    }

    private static Map<Integer, Float> contents(PageTable table) {
        Map<Integer, Float> held = new TreeMap<>();
        int newest = -1;
        for (int p = 0; p < table.size(); p++) {
            PageLayout layout = table.page(p).layout();
            float[] keys = new float[layout.tokens() * HEAD_DIM];
            float[] values = new float[layout.tokens() * HEAD_DIM];
            layout.form().keys().decode(layout.keyShape(), table.page(p).keys(), HEAD_DIM, keys);
            layout.form().values().decode(layout.valueShape(), table.page(p).values(), HEAD_DIM, values);
            for (int t = 0; t < table.tokens(p); t++) {
                for (int d = 0; d < HEAD_DIM; d++) {
                    assertThat((Float) keys[t * HEAD_DIM + d]).isEqualTo((Float) values[t * HEAD_DIM + d]);
                }
                assertThat(table.page(p).position(t)).isGreaterThan(newest);
                newest = table.page(p).position(t);
                held.put(newest, values[t * HEAD_DIM]);
            }
        }
        return held;
    }

    private static void checkContents(Shadow shadow, String message) {
        for (int h = 0; h < 3; h++) {
            PageTable table = shadow.table(h);
            Map<Integer, Float> held = contents(table);
            assertThat(table.columns().size()).as(message).isEqualTo(held.size());
            Map<Integer, Float> expected = new TreeMap<>(shadow.heads.get(h));
            if (h == 2) {
                // Older tokens may be there, as parts of pages that reach into the window, or not.
                int oldest = shadow.cache.length() - WINDOW + 1;
                expected.keySet().removeIf(position -> position < oldest);
                held.keySet().removeIf(position -> position < oldest);
            }
            assertThat(held).as(message).isEqualTo(expected);
        }
    }

    /**
     * @param idle whether no sealing is under way: one holds its page, and may hold it alone
     */
    private static void checkAccounts(PagePool pool, List<Shadow> open, boolean idle, String message) {
        IdentityHashMap<Page, Integer> references = new IdentityHashMap<>();
        for (Shadow shadow : open) {
            long bytes = 0;
            long tierBytes = 0;
            for (int h = 0; h < 3; h++) {
                Set<Page> ofHead = Collections.newSetFromMap(new IdentityHashMap<>());
                for (int p = 0; p < shadow.table(h).size(); p++) {
                    Page page = shadow.table(h).page(p);
                    assertThat(ofHead.add(page)).as(message).isTrue();
                    references.merge(page, 1, Integer::sum);
                    if (page.tier().isPresent()) {
                        tierBytes += page.layout().pageBytes();
                        continue;
                    }
                    bytes += page.layout().pageBytes();
                    bytes += page.target()
                            .map(target -> target.layout().pageBytes())
                            .orElse(0);
                }
            }
            assertThat(shadow.cache.bytes()).as(message).isEqualTo(bytes);
            assertThat(shadow.cache.tierBytes()).as(message).isEqualTo(tierBytes);
        }
        long openBytes = 0;
        for (Page page : List.copyOf(references.keySet())) {
            if (page.target().isPresent()) {
                Page target = page.target().get();
                references.merge(target, 1, Integer::sum);
                openBytes += (long) page.layout().pageBytes() + target.layout().pageBytes();
            }
        }
        List<Page> inMemory = references.keySet().stream()
                .filter(page -> page.tier().isEmpty())
                .toList();
        long held =
                inMemory.stream().mapToLong(page -> page.layout().pageBytes()).sum();
        long onTier = references.keySet().stream()
                .filter(page -> page.tier().isPresent())
                .mapToLong(page -> page.layout().pageBytes())
                .sum();
        CacheUsage usage = pool.usage();
        TierUsage tier = usage.tier();
        assertThat(tier.heldBytes()).as(message).isEqualTo(onTier).isBetween(0L, tier.peakHeldBytes());
        assertThat(tier.pages()).as(message).isEqualTo(references.size() - inMemory.size());
        assertThat(tier.fileBytes()).as(message).isGreaterThanOrEqualTo(onTier);
        assertThat(tier.fileBytes() == 0).as(message).isEqualTo(onTier == 0);
        if (idle) {
            references.forEach(
                    (page, count) -> assertThat(page.references).as(message).isEqualTo(count));
            assertThat(usage.heldBytes()).as(message).isEqualTo(held);
            assertThat(usage.openBytes()).as(message).isEqualTo(openBytes);
            assertThat(usage.pages()).as(message).isEqualTo(inMemory.size());
        }
        assertThat(usage.heldBytes()).as(message).isGreaterThanOrEqualTo(held);
        assertThat(usage.reservedBytes()).as(message).isBetween(usage.heldBytes(), usage.budgetBytes());
        assertThat(usage.peakHeldBytes()).as(message).isBetween(usage.heldBytes(), usage.budgetBytes());
    }

    @Test
    void reservedMemoryIsWhatTheAllocatorGaveOut() {
        PagePool pool = new PagePool(memory, 10_000_000);
        List<SequenceCache> caches = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            SequenceCache cache = new SequenceCache(layout(AttentionSpec.FULL), pool, Runnable::run);
            cache.reserve(100 * i + 1);
            caches.add(cache);
            assertThat(memory.bytes()).isEqualTo(pool.usage().reservedBytes());
        }
        for (SequenceCache cache : caches) {
            cache.close();
            assertThat(memory.bytes()).isEqualTo(pool.usage().reservedBytes());
        }
        assertThat(memory.bytes()).isZero();
    }

    @Test
    void theBudgetIsUsedToTheLastPageAndNeverExceeded() {
        CacheLayout layout = layout(AttentionSpec.FULL);
        long least = layout.smallestSequenceBytes();
        PagePool pool = new PagePool(memory, 3 * least);
        List<SequenceCache> caches = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            caches.add(new SequenceCache(layout, pool, Runnable::run));
            caches.get(i).reserve(1);
        }
        assertThat(pool.usage().heldBytes()).isEqualTo(3 * least);
        SequenceCache more = new SequenceCache(layout, pool, Runnable::run);
        assertThatThrownBy(() -> more.reserve(1))
                .isInstanceOf(KvBudgetExceededException.class)
                .hasMessageContaining("budget")
                .hasMessageNotContaining("\n");
        assertThat(pool.usage().heldBytes()).isEqualTo(3 * least);
        caches.forEach(SequenceCache::close);
        more.reserve(1);
        more.close();
        assertThat(memory.bytes()).isZero();
    }

    @Test
    void forksShareUntilOneWrites() {
        PagePool pool = new PagePool(memory, 1 << 20);
        SequenceCache one = new SequenceCache(layout(AttentionSpec.FULL), pool, Runnable::run);
        one.reserve(20);
        float[] row = new float[HEAD_DIM];
        for (int h = 0; h < 3; h++) {
            for (int r = 0; r < 20; r++) {
                (h < 2 ? one.table(0, h) : one.table(1, 0)).append(row, 0, row, 0);
            }
        }
        one.commit(20);
        long held = pool.usage().heldBytes();
        SequenceCache two = one.fork();
        assertThat(pool.usage().heldBytes()).isEqualTo(held);
        assertThat(two.table(0, 0).page(1)).isSameAs(one.table(0, 0).page(1));
        two.reserve(1);
        assertThat(two.table(0, 0).page(0)).isSameAs(one.table(0, 0).page(0));
        assertThat(two.table(0, 0).page(1)).isNotSameAs(one.table(0, 0).page(1));
        one.close();
        two.close();
        assertThat(memory.bytes()).isZero();
    }
}
