package org.pikv4j.shard;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.pikv4j.attention.Partials;
import org.pikv4j.attention.ShardAnswer;
import org.pikv4j.attention.ShardQuery;
import org.pikv4j.attention.ShardWork;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.storage.SlabAllocator;

/** A shard in this process: a backend with threads of its own. */
public final class WorkerShard implements ShardTransport {
    private final Backend backend;
    private final ExecutorService thread;
    private final Map<Integer, Partials> partials = new HashMap<>(); // by head dim; the thread's

    /**
     * @param number the shard's
     * @param backend its workers; closed with this
     */
    public WorkerShard(int number, Backend backend) {
        this.backend = backend;
        this.thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon(true).name("pikv-shard-" + number).factory());
    }

    @Override
    public SlabAllocator slabs() {
        return backend.slabs();
    }

    @Override
    public CompletableFuture<ShardAnswer> attend(ShardQuery query) {
        return CompletableFuture.supplyAsync(
                () -> {
                    ShardWork work = new ShardWork(query, partials.computeIfAbsent(query.headDim(), Partials::new));
                    backend.attend(work);
                    return work.answer();
                },
                thread);
    }

    @Override
    public void close() {
        thread.close();
        backend.close();
    }
}
