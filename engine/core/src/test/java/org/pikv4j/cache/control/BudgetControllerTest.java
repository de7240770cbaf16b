package org.pikv4j.cache.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.cache.scheduling.policies.KvZip;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.CacheManagers;
import org.pikv4j.cache.storage.HeldMemory;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageRoom;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;

class BudgetControllerTest {
    private static final int WIDTH = 32;
    private static final int HEADS = 2;
    private static final int PAGE = 16;
    private static final int TOKENS = 40 * PAGE + 5;
    private static final long BUDGET = 1 << 20;
    private static final AttentionSpec SPEC = new AttentionSpec(
            HEADS, HEADS, WIDTH, 1f, AttentionSpec.FULL, new RopeSpec(1e4, WIDTH), AttentionSpec.QkNorm.NONE, 1e9f);

    private final long seed = TestSeeds.seed();
    private final SplittableRandom random = new SplittableRandom(seed);
    private final HeldMemory memory = new HeldMemory();
    private final CacheLayout layout = new CacheLayout(
            List.of(new CacheLayout.Layer(
                    new PageLayout(new PageForm(Codecs.BF16), PAGE, WIDTH, PageRoom.POSITIONS),
                    HEADS,
                    AttentionSpec.FULL)),
            Residual.DEFAULT);
    private final Ladder ladder = Ladder.of(layout);
    private final PagePool pool = new PagePool(memory, BUDGET, ladder.keptBytes(BUDGET));
    private final BudgetController controller = new BudgetController(ladder, pool, Protection.DEFAULT);
    private final List<SequenceCache> open = new ArrayList<>();
    /** (head, position, width) */
    private final float[][] values = new float[HEADS][];

    @AfterEach
    void nothingIsLeftBehind() {
        open.forEach(SequenceCache::close);
        pool.close();
        assertThat(memory.bytes()).isZero();
    }

    private SequenceCache sequence(int tokens) {
        CacheSchedule schedule = new CacheSchedule(
                Optional.of(new PolicyChoice(new Auto())), Optional.empty(), layout, List.of(SPEC), 64);
        SequenceCache cache = new SequenceCache(layout, pool, Runnable::run, CacheManagers.NONE.with(schedule));
        open.add(cache);
        cache.reserve(tokens);
        for (int head = 0; head < HEADS; head++) {
            values[head] = TestSeeds.normal(random, tokens * WIDTH);
            float[] keys = TestSeeds.normal(random, tokens * WIDTH);
            for (int t = 0; t < tokens; t++) {
                cache.table(0, head).append(keys, t * WIDTH, values[head], t * WIDTH);
            }
        }
        cache.commit(tokens);
        return cache;
    }

    private HeldPages held(SequenceCache... caches) {
        return controller.held(List.of(caches), open);
    }

    private static SequenceCache fork(SequenceCache cache, List<SequenceCache> open) {
        SequenceCache fork = cache.fork();
        open.add(fork);
        return fork;
    }

    /** As if the text had been read again. */
    private void receive(SequenceCache cache) {
        for (PageTable table : cache.tables(0)) {
            float[] received = table.columns().column(KvZip.MOST);
            for (int t = 0; t < cache.length(); t++) {
                received[t] = (float) Math.pow(random.nextDouble(), 4);
            }
        }
        cache.schedule().orElseThrow().endReplay(cache.length());
    }

    private static float[] decoded(Page page) {
        PageLayout layout = page.layout();
        float[] rows = new float[layout.tokens() * WIDTH];
        layout.form().values().decode(layout.valueShape(), page.values(), WIDTH, rows);
        return rows;
    }

    private String form(Page page) {
        return ladder.name(0, page.layout());
    }

    @Test
    void theLadderGoesDown() {
        assertThat(ladder.rungs(0).stream().map(rung -> ladder.name(0, rung)))
                .containsExactly("bf16", "int8", "turbo4", "turbo3", "turbo3,turbo2");
        assertThat(ladder.rungs(0).stream().map(PageLayout::pageBytes)).isSortedAccordingTo(Comparator.reverseOrder());
        assertThat(ladder.nearlyFree(0)).isEqualTo(1);
    }

    @Test
    void decisionsAddUpAndTokensGoLast() {
        SequenceCache cache = sequence(TOKENS);
        receive(cache);
        long whole = pool.usage().heldBytes();
        while (true) {
            long before = pool.usage().heldBytes();
            long freed = controller.free(held(cache), 3000);
            assertThat(before - pool.usage().heldBytes())
                    .as(TestSeeds.repeat(seed))
                    .isEqualTo(freed);
            assertThat(cache.bytes()).isEqualTo(pool.usage().heldBytes());
            assertThat(pool.usage().reservedBytes()).isLessThanOrEqualTo(BUDGET);
            Decisions decisions = controller.decisions();
            assertThat(decisions.bytes()).isEqualTo(whole - pool.usage().heldBytes());
            assertThat(decisions.latest().stream().mapToLong(Decision::bytes).sum())
                    .isEqualTo(decisions.bytes());
            checkContents(cache);
            if (decisions.latest().stream().noneMatch(decision -> decision.dropped() > 0)) {
                assertThat(freed).isGreaterThanOrEqualTo(3000);
            }
            if (freed < 3000) {
                break;
            }
        }
        List<Decision> all = controller.decisions().latest();
        int firstDrop = IntStream.range(0, all.size())
                .filter(i -> all.get(i).dropped() > 0)
                .findFirst()
                .orElseThrow();
        // Before, 37 pages of each head had gone all the way: all but the sinks', the window's two and the open one.
        Map<String, String> last = new HashMap<>();
        all.subList(0, firstDrop).forEach(d -> last.put(d.kvHead() + "." + d.first(), d.to()));
        for (int head = 0; head < HEADS; head++) {
            for (int page = 1; page < 38; page++) {
                assertThat(last.get(head + "." + page * PAGE)).isEqualTo("turbo3,turbo2");
            }
        }
        // What is protected stays, in its smallest form where it is full, and nothing else does.
        for (PageTable table : cache.tables(0)) {
            assertThat(table.positions()).contains(0, 1, 2, 3);
            assertThat(Arrays.stream(table.positions()).filter(p -> p >= TOKENS - 32))
                    .hasSize(32);
            assertThat(table.positions()).hasSizeLessThan(5 * PAGE);
        }
    }

    /** Values are what they were, but for what their form loses. */
    private void checkContents(SequenceCache cache) {
        Map<String, Double> most =
                Map.of("bf16", 1e-4, "int8", 2e-4, "turbo4", 0.02, "turbo3", 0.06, "turbo3,turbo2", 0.2);
        for (int head = 0; head < HEADS; head++) {
            PageTable table = cache.table(0, head);
            for (int p = 0; p < table.size(); p++) {
                Page page = table.page(p);
                float[] rows = decoded(page);
                double lost = 0;
                double all = 0;
                for (int slot = 0; slot < table.tokens(p); slot++) {
                    for (int i = 0; i < WIDTH; i++) {
                        float value = values[head][page.position(slot) * WIDTH + i];
                        lost += (value - rows[slot * WIDTH + i]) * (value - rows[slot * WIDTH + i]);
                        all += value * value;
                    }
                }
                assertThat(lost / all)
                        .as(form(page) + ", " + TestSeeds.repeat(seed))
                        .isLessThan(most.get(form(page)));
            }
        }
    }

    /** The first choice, by definition: for each page and form Σp·|v|·(what the form loses), and the least of it for each byte. */
    @Test
    void formsAreWhatTheDefinitionSays() {
        SequenceCache cache = sequence(TOKENS);
        List<PageLayout> rungs = ladder.rungs(0);
        float[][] lost = new float[HEADS][rungs.size()];
        for (int head = 0; head < HEADS; head++) {
            assertThat(FormErrors.measure(cache.table(0, head).page(1), rungs, 0, lost[head]))
                    .isTrue();
        }
        controller.shrink(held(cache), 1); // when all weighed what they may weigh at most
        receive(cache);
        int[][] expected = new int[HEADS][38];
        for (int head = 0; head < HEADS; head++) {
            for (int page = 1; page < 38; page++) {
                expected[head][page] =
                        ladder.rung(0, cache.table(0, head).page(page).layout());
            }
        }
        long wanted = 50_000;
        for (long freed = 0; freed < wanted; ) {
            int[] best = {};
            double least = Double.POSITIVE_INFINITY;
            for (int page = 1; page < 38; page++) {
                for (int head = 0; head < HEADS; head++) {
                    int at = expected[head][page];
                    for (int to = at + 1; to < rungs.size(); to++) {
                        double price = weight(cache.table(0, head), page)
                                * (lost[head][to] - lost[head][at])
                                / (rungs.get(at).pageBytes() - rungs.get(to).pageBytes());
                        if (price < least) {
                            least = price;
                            best = new int[] {head, page, to};
                        }
                    }
                }
            }
            freed += rungs.get(expected[best[0]][best[1]]).pageBytes()
                    - rungs.get(best[2]).pageBytes();
            expected[best[0]][best[1]] = best[2];
        }
        controller.shrink(held(cache), wanted);
        for (int head = 0; head < HEADS; head++) {
            for (int page = 0; page < 38; page++) {
                assertThat(form(cache.table(0, head).page(page)))
                        .as("%d.%d, %s", head, page, TestSeeds.repeat(seed))
                        .isEqualTo(ladder.name(0, rungs.get(expected[head][page])));
            }
        }
    }

    private static double weight(PageTable table, int page) {
        float[] rows = decoded(table.page(page));
        double weight = 0;
        for (int slot = 0; slot < PAGE; slot++) {
            double squares = 0;
            for (int i = 0; i < WIDTH; i++) {
                squares += (double) rows[slot * WIDTH + i] * rows[slot * WIDTH + i];
            }
            weight += table.columns().column(KvZip.MOST)[page * PAGE + slot] * Math.sqrt(squares);
        }
        return weight;
    }

    /** The first half was read again, and nobody looked at it; of the other half nothing is known. */
    @Test
    void whatIsNotKnownIsWorthMost() {
        SequenceCache cache = sequence(TOKENS);
        cache.schedule().orElseThrow().endReplay(20 * PAGE);
        controller.shrink(held(cache), Long.MAX_VALUE);
        controller.free(held(cache), 20L * ladder.rungs(0).getLast().pageBytes());
        assertThat(controller.decisions().latest()).anyMatch(decision -> decision.dropped() > 0);
        for (PageTable table : cache.tables(0)) {
            assertThat(Arrays.stream(table.positions()).filter(p -> p >= 20 * PAGE))
                    .hasSize(TOKENS - 20 * PAGE);
        }
    }

    @Test
    void theLeastOfTheTokensGo() {
        SequenceCache cache = sequence(TOKENS);
        receive(cache);
        for (PageTable table : cache.tables(0)) {
            float[] received = table.columns().column(KvZip.MOST);
            for (int t = 0; t < TOKENS; t++) {
                received[t] = t % 4 == 0 ? 0.5f : 1e-6f;
            }
        }
        controller.shrink(held(cache), Long.MAX_VALUE);
        long smallest = ladder.rungs(0).getLast().pageBytes();
        controller.free(held(cache), 40 * smallest);
        for (PageTable table : cache.tables(0)) {
            assertThat(Arrays.stream(table.positions()).filter(p -> p % 4 == 0).count())
                    .isEqualTo((TOKENS + 3) / 4);
        }
        checkContents(cache);
    }

    @Test
    void aSharedPageChangesForAllWhoHoldItAndOneThatIsStillWrittenDoesNot() {
        SequenceCache cache = sequence(TOKENS);
        receive(cache);
        SequenceCache fork = fork(cache, open);
        SequenceCache shorter = fork(cache, open);
        shorter.truncate(30 * PAGE + 3);
        long before = pool.usage().heldBytes();
        long freed = controller.free(held(cache, fork, shorter), 60_000);
        assertThat(before - pool.usage().heldBytes()).isEqualTo(freed).isGreaterThanOrEqualTo(60_000);
        for (int head = 0; head < HEADS; head++) {
            PageTable one = cache.table(0, head);
            PageTable two = fork.table(0, head);
            assertThat(one.positions()).isEqualTo(two.positions());
            for (int p = 0; p < one.size(); p++) {
                assertThat(two.page(p)).isSameAs(one.page(p));
            }
        }
        assertThat(form(shorter.table(0, 0).page(shorter.table(0, 0).size() - 1)))
                .isEqualTo("bf16");
        assertThat(controller.decisions().latest()).anyMatch(decision -> decision.sessions() == 3);
        checkContents(cache);
        checkContents(shorter);
        // One that somebody else holds stays as it is.
        long shared = pool.usage().heldBytes();
        assertThat(controller.free(held(cache), 1000)).isZero();
        assertThat(pool.usage().heldBytes()).isEqualTo(shared);
    }

    /** A fork that outlives its origin does not take what was measured there for nothing. */
    @Test
    void whatFormsLoseIsKnownToAllWhoHoldAPage() {
        SequenceCache cache = sequence(200);
        SequenceCache fork = cache.fork();
        open.add(fork);
        controller.shrink(held(cache, fork), 2000);
        for (int head = 0; head < HEADS; head++) {
            float[] known = cache.table(0, head).columns().together();
            assertThat(fork.table(0, head).columns().together()).containsExactly(known);
        }
        cache.close();
        controller.shrink(held(fork), Long.MAX_VALUE);
        assertThat(controller.decisions().latest()).allMatch(decision -> decision.error() > 0);
    }

    @Test
    void forksForgetTheSameTokens() {
        SequenceCache cache = sequence(TOKENS);
        receive(cache);
        SequenceCache fork = fork(cache, open);
        controller.shrink(held(cache, fork), Long.MAX_VALUE);
        long before = pool.usage().heldBytes();
        long freed = controller.free(held(cache, fork), 9_000);
        assertThat(before - pool.usage().heldBytes()).isEqualTo(freed).isGreaterThanOrEqualTo(9_000);
        for (int head = 0; head < HEADS; head++) {
            assertThat(fork.table(0, head).positions())
                    .isEqualTo(cache.table(0, head).positions())
                    .hasSizeLessThan(TOKENS);
            assertThat(fork.table(0, head).columns().size())
                    .isEqualTo(cache.table(0, head).positions().length);
        }
        checkContents(fork);
    }

    @Test
    void aPageWithoutNumbersKeepsItsForm() {
        SequenceCache cache = sequence(TOKENS);
        float[] none = new float[WIDTH];
        Arrays.fill(none, Float.NaN);
        assertThat(cache.rewriteKeys(0, 0, none, 1)).isTrue();
        controller.free(held(cache), 60_000);
        assertThat(form(cache.table(0, 0).page(0))).isEqualTo("bf16");
        assertThat(pool.usage().heldBytes()).isEqualTo(cache.bytes());
        assertThat(controller.kept(cache).stream().mapToLong(KeptPages::bytes).sum())
                .isEqualTo(cache.bytes());
        assertThat(controller.kept(cache).stream().mapToInt(KeptPages::tokens).sum())
                .isEqualTo(
                        cache.table(0, 0).positions().length + cache.table(0, 1).positions().length);
    }
}
