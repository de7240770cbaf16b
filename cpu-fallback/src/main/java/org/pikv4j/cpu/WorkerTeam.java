package org.pikv4j.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A fixed team of threads that share the items of one job after another; the caller is its first member. Between jobs the
 * others spin briefly, since a decode step is dozens of jobs of some microseconds, and then park, so that an idle engine
 * uses no processor.
 */
final class WorkerTeam implements AutoCloseable {
    private static final int SPINS = 20_000;
    private static final int SPINS_OF_CALLER = 2_000;

    /** A piece of work. */
    interface Task {
        /**
         * @param item which one, from 0
         * @param worker who runs it, below {@link #size()}; no two run under the same number at once
         */
        void run(int item, int worker);
    }

    private static final class Job {
        final Task task;
        final int items;
        final AtomicInteger next = new AtomicInteger();
        final AtomicInteger done = new AtomicInteger();
        final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

        Job(Task task, int items) {
            this.task = task;
            this.items = items;
        }

        void work(int worker) {
            int item;
            while ((item = next.getAndIncrement()) < items) {
                try {
                    if (failure.get() == null) {
                        task.run(item, worker);
                    }
                } catch (Throwable t) {
                    failure.compareAndSet(null, t);
                } finally {
                    done.incrementAndGet();
                }
            }
        }
    }

    private final Thread[] helpers;
    private volatile Job current = new Job((item, worker) -> {}, 0);
    private volatile boolean closed;

    WorkerTeam(int size) {
        helpers = new Thread[size - 1];
        for (int i = 0; i < helpers.length; i++) {
            int worker = i + 1;
            helpers[i] = Thread.ofPlatform()
                    .daemon(true)
                    .name("pikv-worker-" + worker)
                    .unstarted(() -> serve(worker));
        }
        for (Thread helper : helpers) {
            helper.start();
        }
    }

    int size() {
        return helpers.length + 1;
    }

    /**
     * Runs all items and returns when the last has ended. An exception of an item is thrown here; the rest is skipped.
     *
     * @param items how many
     * @param task what to do with each
     */
    @SuppressWarnings(
            "ThreadPriorityCheck") // yield is no means of synchronising here: where cores are short it lends one
    synchronized void run(int items, Task task) {
        if (items <= 0) {
            return;
        }
        Job job = new Job(task, items);
        if (items > 1 && !closed) {
            current = job;
            for (Thread helper : helpers) {
                LockSupport.unpark(helper);
            }
        }
        job.work(0);
        for (int spins = 0; job.done.get() < items; spins++) {
            if (spins < SPINS_OF_CALLER) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
        Throwable failure = job.failure.get();
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
    }

    private void serve(int worker) {
        Job seen = current;
        seen.work(worker);
        while (!closed) {
            Job job = await(seen);
            job.work(worker);
            seen = job;
        }
    }

    private Job await(Job seen) {
        for (int spins = 0; spins < SPINS; spins++) {
            Job job = current;
            if (job != seen || closed) {
                return job;
            }
            Thread.onSpinWait();
        }
        // A permit left by an earlier unpark makes park return at once; the loop then looks again.
        while (current == seen && !closed) {
            LockSupport.park(this);
        }
        return current;
    }

    @Override
    public void close() {
        closed = true;
        for (Thread helper : helpers) {
            LockSupport.unpark(helper);
        }
        boolean interrupted = false;
        for (Thread helper : helpers) {
            while (helper.isAlive()) {
                try {
                    helper.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
