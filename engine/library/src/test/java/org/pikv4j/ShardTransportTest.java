package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.pikv4j.attention.ShardAnswer;
import org.pikv4j.attention.ShardQuery;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.Backends;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.routing.GateScores;
import org.pikv4j.cache.routing.RoundRobin;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.CacheManagers;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageRoom;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.cache.storage.SlabAllocator;
import org.pikv4j.decode.CachedAttention;
import org.pikv4j.decode.Span;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ShardFailedException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;
import org.pikv4j.shard.MoveListener;
import org.pikv4j.shard.ShardMoves;
import org.pikv4j.shard.ShardOptions;
import org.pikv4j.shard.ShardSpec;
import org.pikv4j.shard.ShardTransport;
import org.pikv4j.shard.ShardUsage;
import org.pikv4j.shard.Shards;
import org.pikv4j.shard.WorkerShard;

/** Shards behind ways that do not always work. */
class ShardTransportTest {
    private static final AttentionSpec SPEC = new AttentionSpec(
            2, 1, 8, 1f, AttentionSpec.FULL, new RopeSpec(1e4, 8), AttentionSpec.QkNorm.NONE, Float.POSITIVE_INFINITY);
    private static final CacheLayout LAYOUT = new CacheLayout(
            List.of(CacheLayout.layer(
                    SPEC, 0, FormChoice.of(new PageForm(Codecs.BF16)), 16, Residual.DEFAULT, PageRoom.NONE)),
            Residual.DEFAULT);
    private static final int PAGE_BYTES = LAYOUT.layers().getFirst().open().pageBytes();

    /** A way to a shard that does something of its own when it is asked, and may have other memory. */
    private record Way(
            ShardTransport through,
            SlabAllocator slabs,
            BiFunction<ShardTransport, ShardQuery, CompletableFuture<ShardAnswer>> asks)
            implements ShardTransport {
        @Override
        public CompletableFuture<ShardAnswer> attend(ShardQuery query) {
            return asks.apply(through, query);
        }

        Way closing(Runnable also) {
            return new Way(
                    new ShardTransport() {
                        @Override
                        public SlabAllocator slabs() {
                            return slabs;
                        }

                        @Override
                        public CompletableFuture<ShardAnswer> attend(ShardQuery query) {
                            return asks.apply(through, query);
                        }

                        @Override
                        public void close() {
                            through.close();
                            also.run();
                        }
                    },
                    slabs,
                    ShardTransport::attend);
        }

        @Override
        public void close() {
            through.close();
        }
    }

    /** An engine's parts, but for the model. */
    private static final class Parts implements AutoCloseable {
        final Backend backend = new Backends(List.of()).open("scalar", BackendOptions.defaults());
        final PagePool pool;
        final Shards shards;
        final CachedAttention attention;
        final List<SequenceCache> caches = new ArrayList<>();

        Parts(int count, long budgetBytes, IntFunction<Way> ways) {
            pool = new PagePool(backend.slabs(), budgetBytes);
            shards = new Shards(
                    pool, ways::apply, ShardOptions.equal(count, new RoundRobin()), budgetBytes, MoveListener.NONE);
            attention = new CachedAttention(List.of(SPEC), backend, Optional.empty(), Optional.of(shards));
        }

        static Way way(int number, BiFunction<ShardTransport, ShardQuery, CompletableFuture<ShardAnswer>> asks) {
            Backend own = new Backends(List.of()).open("scalar", BackendOptions.defaults());
            return new Way(new WorkerShard(number, own), own.slabs(), asks);
        }

        SequenceCache sequence(int tokens) {
            SequenceCache cache =
                    new SequenceCache(LAYOUT, pool, Runnable::run, CacheManagers.NONE.with(shards.newSequence()));
            caches.add(cache);
            for (int token = 0; token < tokens; token++) {
                cache.reserve(1);
                backend.append(cache.tables(0), 0, 1, new float[8], new float[8]);
                cache.commit(1);
            }
            return cache;
        }

        void attend(SequenceCache cache) {
            cache.reserve(1);
            try {
                attention.attend(
                        0,
                        List.of(new Span(cache, new int[1], 0, 1, Span.Logits.NONE)),
                        new float[16],
                        new float[8],
                        new float[8],
                        new float[16],
                        GateScores.NONE);
            } finally {
                cache.rollback();
            }
        }

        @Override
        public void close() {
            caches.forEach(SequenceCache::close);
            shards.close();
            pool.close();
            backend.close();
        }
    }

    private static CompletableFuture<ShardAnswer> refused() {
        throw new IllegalStateException("no way");
    }

    private static CompletableFuture<ShardAnswer> cancelled() {
        CompletableFuture<ShardAnswer> future = new CompletableFuture<>();
        future.cancel(false);
        return future;
    }

    /** At once, later, or never to be heard of: the shards that fail get no more pages, each of them, and others go on. */
    @Test
    void whateverFailsIsTheShardsFailure() {
        try (Parts parts = new Parts(
                4,
                1 << 20,
                number -> Parts.way(number, (through, query) -> switch (number) {
                    case 1 -> refused();
                    case 2 -> CompletableFuture.failedFuture(new IllegalStateException("lost"));
                    case 3 -> cancelled();
                    default -> through.attend(query);
                }))) {
            SequenceCache cache = parts.sequence(16 * 8);
            assertThat(parts.shards.usage()).allMatch(shard -> shard.pages() == 2);
            assertThatThrownBy(() -> parts.attend(cache))
                    .isInstanceOfSatisfying(
                            ShardFailedException.class,
                            failure -> assertThat(failure.shard()).isEqualTo(1));
            assertThat(parts.shards.usage()).extracting(ShardUsage::open).containsExactly(true, false, false, false);
            assertThat(parts.shards.usage()).extracting(ShardUsage::share).containsExactly(1.0, 0.0, 0.0, 0.0);
            ShardMoves moves = parts.shards.rebalance(parts.caches);
            assertThat(moves.pages()).isEqualTo(6);
            assertThat(parts.shards.usage()).extracting(ShardUsage::pages).containsExactly(8L, 0L, 0L, 0L);
            parts.attend(cache);
        }
    }

    @Test
    void whereTheSystemHasNoMemoryPagesStay() {
        try (Parts parts = new Parts(2, 1 << 20, number -> {
            Way way = Parts.way(number, ShardTransport::attend);
            return new Way(
                    way.through(),
                    bytes -> {
                        throw new OutOfMemoryError("none left");
                    },
                    way.asks());
        })) {
            SequenceCache cache = parts.sequence(100);
            assertThat(cache.length()).isEqualTo(100);
            assertThat(cache.bytes()).isEqualTo(7L * PAGE_BYTES);
            assertThat(parts.shards.usage()).allMatch(shard -> shard.pages() == 0);
            parts.attend(cache);
        }
    }

    /** A budget that is used up has no room to move within. */
    @Test
    void whatHasNowhereToGoIsLeftUntilThereIsRoom() {
        try (Parts parts = new Parts(2, 10L * PAGE_BYTES, number -> Parts.way(number, ShardTransport::attend))) {
            SequenceCache first = parts.sequence(16 * 5);
            SequenceCache second = parts.sequence(16 * 5);
            assertThat(parts.pool.usage().pages()).isEqualTo(10);
            long onFirst = parts.shards.usage().getFirst().pages();
            assertThat(onFirst).isPositive();
            ShardMoves none = parts.shards.drain(0, parts.caches);
            assertThat(none.left()).isEqualTo(onFirst);
            assertThat(none.pages()).isZero();
            assertThat(parts.shards.usage().getFirst().pages()).isEqualTo(onFirst);
            second.close();
            parts.caches.remove(second);
            ShardMoves moves = parts.shards.drain(0, parts.caches);
            assertThat(moves.left()).isZero();
            assertThat(parts.shards.usage().getFirst().pages()).isZero();
            assertThat(first.bytes()).isEqualTo(5L * PAGE_BYTES);
            assertThat(parts.pool.usage().heldBytes()).isEqualTo(5L * PAGE_BYTES);
            parts.attend(first);
        }
    }

    @Test
    void thereIsALimitToShards() {
        try (Parts parts = new Parts(256, 1 << 20, number -> Parts.way(number, ShardTransport::attend))) {
            assertThatThrownBy(() -> parts.shards.add(ShardSpec.EQUAL))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessage("there are 256 shards, and cannot be more");
            assertThat(parts.shards.count()).isEqualTo(256);
        }
    }

    /** What was opened before is closed again. */
    @Test
    void whoCannotOpenAllOpensNone() {
        List<Integer> closed = new ArrayList<>();
        assertThatThrownBy(() -> new Parts(3, 1 << 20, number -> {
                    if (number == 2) {
                        throw new IllegalStateException("no third");
                    }
                    return Parts.way(number, ShardTransport::attend).closing(() -> closed.add(number));
                }))
                .hasMessage("no third");
        assertThat(closed).containsExactly(0, 1);
    }
}
