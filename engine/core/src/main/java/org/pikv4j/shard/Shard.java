package org.pikv4j.shard;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import org.pikv4j.attention.ShardAnswer;
import org.pikv4j.attention.ShardQuery;

/** A shard, and what went to it and came from it. Counts may be read by any thread. */
final class Shard {
    /** What the name of a page takes in a message: list, place there, layer, KV head, position and tokens. */
    private static final int NAME_BYTES = Long.BYTES + 5 * Integer.BYTES;

    private final ShardTransport transport;
    private final ShardSpec spec;
    private volatile boolean open = true;
    private final LongAdder queries = new LongAdder();
    private final LongAdder queryBytes = new LongAdder();
    private final LongAdder answerBytes = new LongAdder();
    private final LongAdder rowBytes = new LongAdder();
    private final LongAdder nameBytes = new LongAdder();
    private final LongAdder readBytes = new LongAdder();

    Shard(ShardTransport transport, ShardSpec spec) {
        this.transport = transport;
        this.spec = spec;
    }

    ShardSpec spec() {
        return spec;
    }

    /** Whether it may get pages. */
    boolean open() {
        return open;
    }

    /** Gives it no more pages. */
    void shut() {
        open = false;
    }

    /** What it shall get, compared with others. */
    double weight() {
        return open ? spec.weight() : 0;
    }

    /** Asks; whatever goes wrong is in the answer. */
    CompletableFuture<ShardAnswer> ask(ShardQuery query, int epoch) {
        queries.increment();
        queryBytes.add(query.bytes());
        readBytes.add(query.countReads(epoch));
        try {
            return transport.attend(query);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    void answered(ShardAnswer answer) {
        answerBytes.add(answer.bytes());
    }

    void received(long pageBytes) {
        rowBytes.add(pageBytes);
    }

    void named() {
        nameBytes.add(NAME_BYTES);
    }

    /**
     * @param number its number
     * @param share what it shall get, as a share of all
     * @param heldBytes bytes of its pages
     * @param capacityBytes the most that it may hold
     * @param pages number of its pages
     */
    ShardUsage usage(int number, double share, long heldBytes, long capacityBytes, long pages) {
        return new ShardUsage(
                number,
                open,
                share,
                heldBytes,
                capacityBytes,
                pages,
                queries.sum(),
                queryBytes.sum(),
                answerBytes.sum(),
                rowBytes.sum(),
                nameBytes.sum(),
                readBytes.sum());
    }

    void close() {
        transport.close();
    }
}
