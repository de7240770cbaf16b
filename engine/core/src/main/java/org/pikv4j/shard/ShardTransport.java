package org.pikv4j.shard;

import java.util.concurrent.CompletableFuture;
import org.pikv4j.attention.ShardAnswer;
import org.pikv4j.attention.ShardQuery;
import org.pikv4j.cache.storage.SlabAllocator;

/**
 * The way to a shard: workers with memory of their own that hold pages and attend to them. What goes over it is what a network would
 * carry: queries in, partials out, and rows to keep.
 *
 * <p>Called by the engine's thread alone. Queries may be under way while pages are read by others, but not while any page moves.
 */
public interface ShardTransport extends AutoCloseable {

    /**
     * @return where the memory of its pages comes from
     */
    SlabAllocator slabs();

    /**
     * Asks. The answer comes when it does; until then the caller must not release the pages that are asked for.
     *
     * @param query what to ask
     * @return the answer, or the reason why there is none
     */
    CompletableFuture<ShardAnswer> attend(ShardQuery query);

    /** Ends its workers, once nothing is under way and all its pages are gone. */
    @Override
    void close();
}
