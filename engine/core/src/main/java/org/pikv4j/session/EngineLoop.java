package org.pikv4j.session;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.decode.Decoder;
import org.pikv4j.decode.Span;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.error.SessionStateException;
import org.pikv4j.error.ShardFailedException;

/**
 * The one thread that runs the model and writes page tables. Each turn it makes a batch of what all requests can go on
 * with: one token of every session that decodes, so that none waits for another's prompt, and prefill chunks in the rows
 * that are left (continuous batching: Orca, OSDI 2022, §3; chunked prefill: Sarathi, arXiv 2308.16369).
 */
final class EngineLoop implements Runnable {
    private final Decoder decoder;
    private final Replays replays;
    private final IntConsumer batchDone;
    private final Optional<OneBudget> auto;
    private final LinkedBlockingQueue<Runnable> commands = new LinkedBlockingQueue<>();
    private final List<Request> requests = new ArrayList<>();
    private final Thread thread;
    private boolean stopping; // of this thread
    private boolean ended; // guarded by commands

    /**
     * @param decoder what runs batches
     * @param replays reads texts again for policies that want it
     * @param batchDone is told the rows of each batch that has been run, between this one and the next
     * @param auto makes room where the whole cache is under one budget
     */
    EngineLoop(Decoder decoder, Replays replays, IntConsumer batchDone, Optional<OneBudget> auto) {
        this.decoder = decoder;
        this.replays = replays;
        this.batchDone = batchDone;
        this.auto = auto;
        thread = Thread.ofPlatform().daemon(true).name("pikv-engine").unstarted(this);
        thread.start();
    }

    /** Runs something on this thread, between two batches, and returns its result. */
    <T> T call(Supplier<T> action) {
        if (Thread.currentThread().equals(thread)) {
            return action.get();
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        synchronized (commands) {
            if (ended) {
                throw new SessionStateException("the engine is closed");
            }
            commands.add(() -> {
                try {
                    result.complete(action.get());
                } catch (Throwable t) {
                    result.completeExceptionally(t);
                }
            });
        }
        return join(result);
    }

    static <T> T join(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            throw rethrow(e.getCause() == null ? e : e.getCause());
        }
    }

    static RuntimeException rethrow(Throwable cause) {
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof RuntimeException e ? e : new IllegalStateException(cause);
    }

    /** Makes a request on this thread and takes it in. */
    <R extends Request> R submit(Supplier<R> request) {
        return call(() -> {
            if (stopping) {
                throw new SessionStateException("the engine is closed");
            }
            R made = request.get();
            requests.add(made);
            return made;
        });
    }

    @Override
    public void run() {
        try {
            while (!stopping) {
                runCommands();
                if (!requests.isEmpty()) {
                    step();
                }
            }
        } finally {
            stopping = true;
            synchronized (commands) {
                ended = true;
            }
            try {
                failAll(new SessionStateException("the engine was closed"));
            } finally {
                commands.forEach(Runnable::run);
            }
        }
    }

    private void runCommands() {
        try {
            Runnable command = requests.isEmpty() ? commands.take() : commands.poll();
            while (command != null) {
                command.run();
                command = commands.poll();
            }
        } catch (InterruptedException e) {
            // Left behind by user code that runs here, a sink or a policy; stop() uses a command. The flag is cleared.
            return;
        }
    }

    private void step() {
        try {
            runBatch();
        } catch (Throwable t) {
            // A defect: nobody may wait for ever because of it.
            failAll(t);
        }
    }

    private void failAll(Throwable cause) {
        List.copyOf(requests).forEach(request -> end(request, () -> request.fail(cause)));
    }

    private void runBatch() {
        for (Request request : List.copyOf(requests)) {
            if (request.abandoned()) {
                end(request, request::abandon);
            } else if (request.remaining() == 0) {
                advance(request); // there was nothing to read
            }
        }
        List<Request> chosen = new ArrayList<>();
        List<Span> batch = new ArrayList<>();
        int room = decoder.maxRows();
        room -= choose(chosen, batch, room - keptForPrompts(), true);
        choose(chosen, batch, room, false);
        if (batch.isEmpty()) {
            if (!requests.isEmpty()) {
                throw new IllegalStateException(requests.size() + " requests that nothing can be done for");
            }
            return;
        }
        try {
            decoder.forward(
                    batch, (span, index, logits, offset) -> chosen.get(span).take(index, logits, offset));
        } catch (ShardFailedException e) {
            // Whoever has nothing there goes on with the next batch.
            chosen.stream()
                    .filter(request -> request.session.cache().uses(e.shard()))
                    .forEach(request -> end(request, () -> request.fail(e)));
            return;
        } catch (Throwable t) {
            chosen.forEach(request -> end(request, () -> request.fail(t)));
            return;
        }
        chosen.forEach(this::advance);
        batchDone.accept(batch.stream().mapToInt(Span::count).sum());
        // Who had a part in this batch queues behind who had none.
        if (requests.size() > chosen.size()) {
            chosen.retainAll(requests);
            requests.removeAll(chosen);
            requests.addAll(chosen);
        }
    }

    private void advance(Request request) {
        try {
            if (request.advance()) {
                end(request, () -> {});
            }
        } catch (Throwable t) {
            end(request, () -> request.fail(t));
        }
    }

    private int choose(List<Request> chosen, List<Span> batch, int room, boolean decoding) {
        int used = 0;
        for (Request request : List.copyOf(requests)) {
            SequenceCache cache = request.session.cache();
            cache.expect(request.session.tokenList().size());
            int count = Math.min(aligned(cache.length(), request.remaining(), room - used), cache.rowsToNextChange());
            boolean waits = room - used < AttentionPlan.TILE_ROWS && request.remaining() > room - used && sharesTiles();
            if (count < 1 || waits || decodes(request) != decoding) {
                continue;
            }
            try {
                count = reserve(request, count, chosen);
            } catch (Throwable t) {
                end(request, () -> request.fail(t));
                continue;
            }
            Session session = request.session;
            boolean complete = count == request.remaining();
            batch.add(new Span(
                    session.cache(),
                    session.tokenList().ids(),
                    session.cache().length(),
                    count,
                    request.wanted(complete),
                    request.observer()));
            chosen.add(request);
            used += count;
        }
        return used;
    }

    /**
     * Whether batches have room for a tile of attention beside others. In smaller ones, pieces of prompts end wherever there is no
     * room left.
     */
    private boolean sharesTiles() {
        return decoder.maxRows() >= 2 * AttentionPlan.TILE_ROWS;
    }

    /** Rows that sessions that decode leave to prompts, so that these get on, by whole tiles if they can. */
    private int keptForPrompts() {
        boolean prompts = requests.stream().anyMatch(request -> !decodes(request));
        return prompts ? Math.min(AttentionPlan.TILE_ROWS, decoder.maxRows() / 2) : 0;
    }

    /** Whether it takes a single row; in batches of one row all do, and take turns. */
    private boolean decodes(Request request) {
        return request.remaining() == 1 || decoder.maxRows() == 1;
    }

    /** Pieces of a prompt end where tiles of attention do, in batches that have room for one. */
    private static int aligned(int length, int remaining, int room) {
        int end = (length + room) / AttentionPlan.TILE_ROWS * AttentionPlan.TILE_ROWS;
        return remaining <= room || end <= length ? Math.min(remaining, room) : end - length;
    }

    /**
     * Makes room, for fewer rows where there is none for all.
     *
     * @return for how many
     */
    private int reserve(Request request, int wanted, List<Request> chosen) {
        SequenceCache cache = request.session.cache();
        cache.schedule()
                .flatMap(schedule -> schedule.replayDue(cache, wanted))
                .ifPresent(replay -> replays.run(request.session, replay));
        int rows = wanted;
        while (true) {
            try {
                cache.reserve(rows);
                return rows;
            } catch (KvBudgetExceededException e) {
                int most = rows;
                rows = auto.map(one -> one.rowsAtOnce(cache, most)).orElse(most);
                if (rows < most) {
                    continue;
                }
                // Pages shared with a fork may go without freeing anything: that is no progress.
                if (makeRoom(request, rows, chosen) > 0) {
                    continue;
                }
                String advice = cache.schedule().map(CacheSchedule::advice).orElse(CacheSchedule.ADVICE);
                if (rows == 1 || !advice.isEmpty()) {
                    throw new KvBudgetExceededException(e.getMessage() + advice);
                }
                rows /= 2; // what a policy may not touch is not yet all there is room for
            }
        }
    }

    /** What could be freed for some rows. */
    private long makeRoom(Request request, int rows, List<Request> chosen) {
        return auto.map(one -> one.make(
                        request.session,
                        rows,
                        chosen.stream().map(other -> other.session).toList()))
                .orElseGet(request.session.cache()::shrink);
    }

    /** Takes a request out; the caller hears of it last, when the session is free again. */
    private void end(Request request, Runnable tell) {
        requests.remove(request);
        tell.run();
    }

    /**
     * Ends all requests and the thread.
     *
     * @throws SessionStateException if called by that thread; nothing has changed then
     */
    void stop() {
        if (Thread.currentThread().equals(thread)) {
            throw new SessionStateException("an engine cannot be closed by its own thread, from within a sink");
        }
        synchronized (commands) {
            if (!ended) {
                commands.add(() -> stopping = true);
            }
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
