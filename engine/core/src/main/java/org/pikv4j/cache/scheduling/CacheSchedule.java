package org.pikv4j.cache.scheduling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.PageChoice;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.text.Plural;

/**
 * Keeps one sequence within its budget. Each table may hold so many pages; when one is full, an <em>eviction</em> makes room in
 * all of them at once: the policy scores the tokens, the best stay and move together, and whole pages go back to the pool. That
 * happens at positions that the budget, the page size and the length of the prompt decide, never the speed of anything: equal
 * runs keep equal tokens.
 *
 * <p>A {@link PlacementPolicy} has the same moments and the same limits, of pages in memory; whole pages move to the second tier
 * then, and nothing is forgotten.
 *
 * <p>An eviction frees an eighth of the budget, or, while a prompt is read, as much as a batch of rows takes, up to a quarter, but no
 * more than the rest of the prompt.
 */
public final class CacheSchedule implements AttentionWatcher {
    private static final int STEPS = 8;
    private static final int PROMPT_STEPS = 4;
    private static final int REPLAY_SHARE = 4;
    /** What to do where nothing may be evicted. */
    public static final String ADVICE =
            "; or let --kv auto, with a budget in bytes, or --kv-policy keydiff say what gives way";

    private final Optional<PolicyChoice> choice;
    private final Optional<EvictionPolicy> policy;
    private final Optional<PlacementPolicy> placement;
    private final Optional<TokenBudget> budget;
    private final CacheLayout layout;
    private final List<AttentionSpec> specs;
    private final int pageTokens;
    private final int chunk;
    /** Pages that each table may hold, layer by layer; none before the first eviction, when all may hold the same. */
    private int[] limits = {};

    private int nextEviction;
    private int expected;
    private int replayed; // tokens before this position have been read again
    private boolean replaying;
    private int knowledge;

    /**
     * @param choice the policy; without one, reaching the budget is an error
     * @param budget tokens for each layer and KV head; without one, only the pool's budget counts
     * @param layout how sequences are cut into pages, all of as many tokens
     * @param specs the attention of each layer
     * @param chunk rows of the largest batch
     * @throws InvalidOptionException if the budget is less than what is protected, and a page
     */
    public CacheSchedule(
            Optional<PolicyChoice> choice,
            Optional<TokenBudget> budget,
            CacheLayout layout,
            List<AttentionSpec> specs,
            int chunk) {
        this.choice = choice;
        this.policy = choice.flatMap(PolicyChoice::eviction);
        this.placement = choice.flatMap(PolicyChoice::placement);
        this.specs = List.copyOf(specs);
        this.budget = budget;
        this.layout = layout;
        this.pageTokens = layout.layers().getFirst().open().tokens();
        this.chunk = chunk;
        int tokens = budget.map(TokenBudget::tokens).orElse(0);
        int least = (leastPages() + leastReplayPages()) * pageTokens;
        if (tokens > 0 && tokens < least) {
            throw new InvalidOptionException(
                    "kv-budget %s is too small: what stays whatever happens, and a page, take %dtok"
                            .formatted(budget.get(), least));
        }
    }

    /**
     * @return the same for a copy of the sequence
     */
    public CacheSchedule copy() {
        CacheSchedule copy = new CacheSchedule(choice, budget, layout, specs, chunk);
        copy.limits = limits.clone();
        copy.nextEviction = nextEviction;
        copy.expected = expected;
        copy.replayed = replayed;
        copy.knowledge = knowledge;
        return copy;
    }

    /**
     * @param length tokens of a sequence
     * @return the most that its tables hold on average
     */
    public int mostTokens(int length) {
        return budget.map(most -> (int) Math.min(length, (long) pages(length, most) * pageTokens))
                .orElse(length);
    }

    /**
     * The sequence has become shorter: what its tables may hold is to be decided anew.
     *
     * @param cache the sequence
     */
    public void truncated(SequenceCache cache) {
        limits = new int[0];
        replayed = Math.min(replayed, cache.length());
        knowledge++;
        policy.ifPresent(p -> cache.tables().forEach(table -> p.truncated(table.columns(), cache.length())));
        closeGaps(cache);
    }

    /**
     * @return how many numbers are kept for each token
     */
    public int columns() {
        return policy.map(EvictionPolicy::columns).orElse(0);
    }

    /**
     * @param layer index of a layer
     * @return how many numbers are kept for each of its KV heads
     */
    public int headNumbers(int layer) {
        int sinks = choice.map(c -> c.protection().sinks()).orElse(0);
        return policy.map(p ->
                        p.closesGap() ? SinkRotation.numbers(specs.get(layer), sinks) : p.headNumbers(specs.get(layer)))
                .orElse(0);
    }

    /**
     * @param length tokens that the sequence is about to have: a prompt's end
     */
    public void expect(int length) {
        expected = length;
    }

    /**
     * @param cache the sequence
     * @return the most rows that may be appended at once
     */
    public int rowsToNextEviction(SequenceCache cache) {
        if (budget.isEmpty()) {
            return Integer.MAX_VALUE;
        }
        int room = room(cache);
        return room > 0 ? room : step(limit(cache), cache.length()) * pageTokens;
    }

    /**
     * Evicts, if the budget does not allow rows otherwise.
     *
     * @param cache the sequence
     * @param rows rows to come, at most {@link #rowsToNextEviction}
     * @throws KvBudgetExceededException if the budget does not allow them, and there is no policy
     */
    public void makeRoom(SequenceCache cache, int rows) {
        if (budget.isEmpty()) {
            nextEviction = expected;
            return;
        }
        if (room(cache) < rows) {
            if (givesNoWay()) {
                throw new KvBudgetExceededException("kv-budget %s is used up: %s; raise it"
                        .formatted(budget.get(), Plural.of(cache.length(), "token")));
            }
            int limit = limit(cache);
            evict(cache, limit, step(limit, cache.length()));
            if (placement.isPresent() && room(cache) < rows) {
                throw usedUp(limit);
            }
        }
        nextEviction = cache.length() + room(cache);
    }

    /**
     * Evicts because the pool is used up.
     *
     * @param cache the sequence
     * @return whether anything was evicted
     */
    public boolean shrink(SequenceCache cache) {
        List<PageTable> tables = cache.tables();
        int mean = tables.stream().mapToInt(PageTable::memoryPages).sum() / tables.size();
        int limit = budget.isPresent() ? Math.min(mean, limit(cache)) : mean;
        if (givesNoWay() || limit < leastPages() || blind()) {
            return false;
        }
        evict(cache, limit, step(limit, cache.length()));
        return true;
    }

    /**
     * Evicts once, whatever the budget.
     *
     * @param cache the sequence
     * @param tokens how many stay for each layer and KV head, on average
     * @throws InvalidOptionException if there is no policy, or fewer tokens than are protected
     */
    public void cut(SequenceCache cache, int tokens) {
        if (givesNoWay()) {
            throw new InvalidOptionException("kv-policy "
                    + choice.map(c -> c.policy().name() + " evicts nothing")
                            .orElse("is missing: nothing says what may be evicted"));
        }
        Protection protection = choice.orElseThrow().protection();
        if (tokens < protection.sinks() + protection.window()) {
            throw new InvalidOptionException("%d sinks and a window of %d tokens do not fit into %d tokens"
                    .formatted(protection.sinks(), protection.window(), tokens));
        }
        if (placement.isPresent()) {
            move(cache, placement.get(), tokens / pageTokens);
            return;
        }
        List<float[]> scores = scores(cache);
        List<Integer> quotas = quotas(cache, tokens, scores);
        List<PageTable> tables = cache.tables();
        List<BitSet> kept = new ArrayList<>();
        for (int i = 0; i < tables.size(); i++) {
            PageTable table = tables.get(i);
            int others = table.tokensBefore(table.size()) - scores.get(i).length;
            kept.add(Highest.of(scores.get(i), Math.max(0, quotas.get(i) - others)));
        }
        keep(cache, kept);
    }

    /**
     * @param cache the sequence
     * @param rows rows to come
     * @return what the model is to read again before room is made for them; empty if room need not be made, or nobody asks for it
     */
    public Optional<Replay> replayDue(SequenceCache cache, int rows) {
        Optional<Replay> wanted = policy.flatMap(EvictionPolicy::replay).filter(r -> replayed < cache.length());
        return wanted.isPresent() && budget.isPresent() && room(cache) < rows ? wanted : Optional.empty();
    }

    /**
     * @param cache the sequence
     * @return what the model is to read again before a {@link #cut}; empty if nobody asks for it
     */
    public Optional<Replay> replayDue(SequenceCache cache) {
        return policy.flatMap(EvictionPolicy::replay).filter(r -> replayed < cache.length());
    }

    /**
     * @param cache the sequence
     * @return rows that may be appended, and forgotten, while text is read again
     */
    public int replayRows(SequenceCache cache) {
        return budget.isPresent() ? replayPages(pages(cache)) * pageTokens : chunk;
    }

    /**
     * @return position of the first token that has not been read again
     */
    public int replayed() {
        return replayed;
    }

    /**
     * @return how often what reading again says of the tokens has changed
     */
    public int knowledge() {
        return knowledge;
    }

    /** Text is about to be read again. */
    public void beginReplay() {
        replaying = true;
    }

    /**
     * Text has been read again, or it failed.
     *
     * @param until tokens before this position have been
     */
    public void endReplay(int until) {
        replaying = false;
        replayed = until;
        knowledge++;
    }

    @Override
    public Set<Signal> signals() {
        return policy.map(EvictionPolicy::signals).orElse(Set.of());
    }

    @Override
    public int watchedFrom() {
        int queries = policy.map(EvictionPolicy::observedQueries).orElse(0);
        if (replaying) {
            return 0;
        }
        return queries == 0 ? Integer.MAX_VALUE : Math.max(0, nextEviction - queries);
    }

    @Override
    public void watch(ObservedAttention seen) {
        policy.orElseThrow().observe(seen.table().columns(), seen);
    }

    /**
     * A layer's gate has chosen experts for the newest tokens; of interest if {@link #signals} say so.
     *
     * @param tables the layer's, by KV head
     * @param experts one for each of the newest tokens
     */
    public void routed(List<PageTable> tables, int[] experts) {
        tables.forEach(table -> policy.orElseThrow().routed(table.columns(), experts));
    }

    /** The policy knows nothing but what is read again, and only a budget in tokens keeps room for that. */
    private boolean blind() {
        return budget.isEmpty() && policy.flatMap(EvictionPolicy::replay).isPresent();
    }

    /**
     * @return what to do where the pool is used up and nothing gives way
     */
    public String advice() {
        if (choice.filter(PolicyChoice::auto).isPresent()) {
            return "";
        }
        return blind()
                ? "; " + policy.orElseThrow().name() + " evicts under a budget in tokens alone"
                : givesNoWay() ? ADVICE : "";
    }

    /** Nobody decides what may leave memory. */
    private boolean givesNoWay() {
        return policy.isEmpty() && placement.isEmpty();
    }

    /** What is protected, by whole pages, and a page; where pages are sealed also those that are not yet, and the sinks'. */
    private int leastPages() {
        if (givesNoWay()) {
            return 1;
        }
        Protection protection = choice.orElseThrow().protection();
        int pages = 1
                + (placement.isPresent()
                        ? protection.wholePages(pageTokens)
                        : Math.ceilDiv(protection.sinks() + protection.window(), pageTokens));
        if (layout.compressed()) {
            Residual residual = layout.residual();
            pages += Math.ceilDiv(residual.sinks(), pageTokens)
                    + Math.ceilDiv(residual.tokens() + residual.interval(), pageTokens)
                    + 1;
        }
        return pages;
    }

    /** Pages that a table may hold on average, those for reading again included. */
    private int pages(SequenceCache cache) {
        return pages(Math.max(expected, cache.length()), budget.orElseThrow());
    }

    private int pages(int length, TokenBudget most) {
        return Math.max(most.of(length) / pageTokens, leastPages() + leastReplayPages());
    }

    /** Pages that a table may hold on average. */
    private int limit(SequenceCache cache) {
        int pages = pages(cache);
        return pages - replayPages(pages);
    }

    private int leastReplayPages() {
        return policy.flatMap(EvictionPolicy::replay).isPresent() ? 1 : 0;
    }

    /** Of so many pages, those that are kept free for reading again. */
    private int replayPages(int pages) {
        int most = Math.min(chunk / pageTokens, pages - leastPages());
        return leastReplayPages() == 0 ? 0 : Math.clamp(pages / REPLAY_SHARE, 1, Math.max(1, most));
    }

    /** Pages that an eviction frees. */
    private int step(int limit, int length) {
        int pages = Math.max(1, limit / STEPS);
        if (length + 1 < expected) {
            pages = Math.max(pages, Math.min(Math.ceilDiv(chunk, pageTokens), limit / PROMPT_STEPS));
            pages = Math.min(pages, Math.ceilDiv(expected - length, pageTokens)); // what nobody needs stays
        }
        return Math.clamp(pages, 1, Math.max(1, limit - leastPages() + 1));
    }

    /** Rows that fit without an eviction. */
    private int room(SequenceCache cache) {
        List<PageTable> tables = cache.tables();
        int even = limits.length == 0 ? limit(cache) : 0;
        int room = Integer.MAX_VALUE;
        for (int i = 0; i < tables.size(); i++) {
            PageTable table = tables.get(i);
            int pages = (limits.length == 0 ? even : limits[i]) - table.memoryPages();
            room = Math.min(room, Math.max(0, pages * pageTokens + table.room()));
        }
        return room;
    }

    private void evict(SequenceCache cache, int limit, int step) {
        if (placement.isPresent()) {
            move(cache, placement.get(), limit - step);
            return;
        }
        List<float[]> scores = scores(cache);
        List<PageTable> tables = cache.tables();
        int[] pages = wholePages(tables, quotas(cache, (limit - step) * pageTokens, scores), limit - step, scores);
        List<BitSet> kept = new ArrayList<>();
        for (int i = 0; i < pages.length; i++) {
            kept.add(bestWithin(pages[i], tables.get(i), scores.get(i)));
        }
        keep(cache, kept);
        limits = Arrays.stream(pages).map(p -> p + step).toArray();
    }

    /** Moves pages to the second tier, until each table has so many in memory, or can spare no more. */
    private void move(SequenceCache cache, PlacementPolicy by, int most) {
        for (int layer = 0; layer < layout.layers().size(); layer++) {
            for (int head = 0; head < cache.tables(layer).size(); head++) {
                PageTable table = cache.table(layer, head);
                int over = table.memoryPages() - most;
                if (over > 0) {
                    int[] pages = by.away(table, choice.orElseThrow().protection(), over);
                    cache.move(layer, head, PageChoice.checked(by, pages, table.size()));
                }
            }
        }
    }

    /** Of each table, by layer and head. */
    private void keep(SequenceCache cache, List<BitSet> kept) {
        int table = 0;
        for (int layer = 0; layer < layout.layers().size(); layer++) {
            for (int head = 0; head < cache.tables(layer).size(); head++, table++) {
                cache.keep(layer, head, kept.get(table));
                policy.orElseThrow().evicted(cache.table(layer, head).columns());
            }
        }
        closeGaps(cache);
    }

    /** Turns the first tokens' keys to where they shall seem to stand. */
    private void closeGaps(SequenceCache cache) {
        if (policy.filter(EvictionPolicy::closesGap).isPresent()) {
            int sinks = choice.orElseThrow().protection().sinks();
            for (int layer = 0; layer < specs.size(); layer++) {
                SinkRotation rotation = new SinkRotation(specs.get(layer), sinks);
                for (int head = 0; head < cache.tables(layer).size(); head++) {
                    rotation.close(cache, layer, head);
                }
            }
        }
    }

    /** As many as fit into so many pages, those that are not to be evicted included. */
    private BitSet bestWithin(int pages, PageTable table, float[] scores) {
        int room = pages - (table.size() - table.evictablePages());
        int least = protectedTokens(scores);
        int tokens = Math.min(scores.length, room * pageTokens);
        while (tokens > least && table.pagesKept(Highest.of(scores, tokens)) > room) {
            tokens = Math.max(least, tokens - pageTokens); // runs of pages that cannot be moved together
        }
        return Highest.of(scores, tokens);
    }

    /** Pages that a table cannot do without. */
    private static int leastPages(PageTable table, float[] scores) {
        int others = table.size() - table.evictablePages();
        return others + table.pagesKept(Highest.of(scores, protectedTokens(scores)));
    }

    private static int protectedTokens(float[] scores) {
        int count = 0;
        for (float score : scores) {
            count += score == Float.POSITIVE_INFINITY ? 1 : 0;
        }
        return count;
    }

    /** Of each table, by layer and head; what is protected has an infinite one. */
    private List<float[]> scores(SequenceCache cache) {
        EvictionPolicy by = policy.orElseThrow();
        List<List<HeadTokens>> layers = new ArrayList<>();
        for (int layer = 0; layer < specs.size(); layer++) {
            List<HeadTokens> heads = new ArrayList<>();
            for (PageTable table : cache.tables(layer)) {
                heads.add(new HeadTokens(
                        table, specs.get(layer), layer, heads.size(), other -> List.copyOf(layers.get(other))));
            }
            layers.add(heads);
        }
        List<float[]> all = new ArrayList<>();
        for (HeadTokens tokens : layers.stream().flatMap(List::stream).toList()) {
            float[] scores = new float[tokens.size()];
            if (scores.length > 0) {
                by.score(tokens, scores);
                protect(tokens, scores, cache.length());
            }
            all.add(scores);
        }
        return all;
    }

    private void protect(HeadTokens tokens, float[] scores, int length) {
        Protection protection = choice.orElseThrow().protection();
        int known = leastReplayPages() == 0 ? length : replayed;
        int[] positions = tokens.positions();
        for (int i = 0; i < scores.length; i++) {
            if (protection.covers(positions[i], length)) {
                scores[i] = Float.POSITIVE_INFINITY;
            } else if (positions[i] >= known) {
                scores[i] = Float.MAX_VALUE; // nothing is known of it yet
            } else {
                float score = Float.isNaN(scores[i]) ? -Float.MAX_VALUE : scores[i];
                scores[i] = Math.clamp(score, -Float.MAX_VALUE, Float.MAX_VALUE);
            }
        }
    }

    private List<Integer> quotas(SequenceCache cache, int tokens, List<float[]> scores) {
        PolicyChoice by = choice.orElseThrow();
        int layers = cache.layout().layers().size();
        int least = Math.min(tokens, by.protection().sinks() + by.protection().window());
        List<Integer> quotas = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            int heads = cache.tables(layer).size();
            List<float[]> ofLayer = new ArrayList<>();
            for (PageTable table : cache.tables(layer)) {
                ofLayer.add(withOthers(scores.get(quotas.size() + ofLayer.size()), table));
            }
            for (int quota : policy.orElseThrow()
                    .quotas(new BudgetShare(layer, layers, tokens, least, cache.length(), ofLayer))) {
                quotas.add(quota);
            }
        }
        long sum = quotas.stream().mapToLong(Integer::longValue).sum();
        if (quotas.size() != scores.size()
                || sum > (long) tokens * scores.size()
                || quotas.stream().anyMatch(quota -> quota < least)) {
            throw new IllegalStateException(by.policy().name() + " shares out " + sum + " tokens of "
                    + (long) tokens * scores.size() + ", and at least " + least + " for each head");
        }
        passOn(quotas, cache.tables());
        return quotas;
    }

    /** Those of all tokens of a table; what cannot be evicted has an infinite one. */
    private static float[] withOthers(float[] scores, PageTable table) {
        float[] all = Arrays.copyOf(scores, table.tokensBefore(table.size()));
        Arrays.fill(all, scores.length, all.length, Float.POSITIVE_INFINITY);
        return all;
    }

    /** What some have no tokens for goes in equal parts to those who have. */
    private static void passOn(List<Integer> quotas, List<PageTable> tables) {
        int[] tokens = tables.stream()
                .mapToInt(table -> table.tokensBefore(table.size()))
                .toArray();
        long over = 0;
        for (int i = 0; i < tokens.length; i++) {
            over += Math.max(0, quotas.get(i) - tokens[i]);
            quotas.set(i, Math.min(quotas.get(i), tokens[i]));
        }
        int wanting;
        do {
            wanting = 0;
            for (int i = 0; i < tokens.length; i++) {
                wanting += quotas.get(i) < tokens[i] ? 1 : 0;
            }
            long each = wanting == 0 ? 0 : Math.ceilDiv(over, wanting);
            for (int i = 0; i < tokens.length; i++) {
                int more = (int) Math.min(Math.min(each, over), tokens[i] - quotas.get(i));
                quotas.set(i, quotas.get(i) + more);
                over -= more;
            }
        } while (over > 0 && wanting > 0);
    }

    /**
     * By whole pages; what rounding down leaves goes to those who lost most, and what is protected is taken from those who have
     * most to spare.
     */
    private int[] wholePages(List<PageTable> tables, List<Integer> quotas, int even, List<float[]> scores) {
        int[] pages = quotas.stream().mapToInt(quota -> quota / pageTokens).toArray();
        int spare = even * pages.length - Arrays.stream(pages).sum();
        IntStream.range(0, pages.length)
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> -(quotas.get(i) % pageTokens)))
                .limit(spare)
                .filter(i -> quotas.get(i) % pageTokens > 0)
                .forEach(i -> pages[i]++);
        int[] toSpare = new int[pages.length];
        for (int i = 0; i < pages.length; i++) {
            int least = leastPages(tables.get(i), scores.get(i));
            pages[i] = Math.max(pages[i], least);
            toSpare[i] = pages[i] - least;
        }
        for (int over = Arrays.stream(pages).sum() - even * pages.length; over > 0; over--) {
            int richest = 0;
            for (int i = 1; i < pages.length; i++) {
                richest = toSpare[i] > toSpare[richest] ? i : richest;
            }
            if (toSpare[richest] == 0) {
                throw usedUp(even);
            }
            pages[richest]--;
            toSpare[richest]--;
        }
        return pages;
    }

    private KvBudgetExceededException usedUp(int pages) {
        return new KvBudgetExceededException("kv-budget "
                + budget.map(TokenBudget::toString).orElse("")
                + " is used up: what is not to be evicted takes more than "
                + Plural.of(pages, "page")
                + " in each layer and KV head");
    }
}
