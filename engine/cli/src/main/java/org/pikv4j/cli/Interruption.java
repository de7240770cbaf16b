package org.pikv4j.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/**
 * What Ctrl-C and SIGTERM do to a command: the work under way is asked to stop, and the process waits for the command to
 * say its last words. Where there is nothing to ask, one line says that the command was interrupted. The JVM then ends with
 * 128 and the number of the signal.
 *
 * <pre>{@code
 * try (Interruption interruption = new Interruption(spec, progress); ...) {
 *     interruption.stopWith(session::cancel);
 *     ...
 * }
 * }</pre>
 *
 * Open it before everything else, so that it is closed last: closing it lets the process go.
 */
public final class Interruption implements AutoCloseable {
    /** Longer than any step of a model that one would run by hand; after it, the process ends all the same. */
    private static final long PATIENCE_SECONDS = 20;

    private final Thread hook = new Thread(this::stop, "interruption");
    private final CountDownLatch ended = new CountDownLatch(1);
    private final CommandSpec spec;
    private final Progress progress;
    private @Nullable Runnable stop;
    private boolean interrupted;

    /**
     * Begins to listen. Until {@link #stopWith} is called, the process ends at once.
     *
     * @param spec the command
     * @param progress what the command shows, which is taken away before the line that says so
     */
    public Interruption(CommandSpec spec, Progress progress) {
        this.spec = spec;
        this.progress = progress;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /**
     * @param action asks the work under way to stop; called by another thread, and again and again until the command
     *     has ended, since the work may just be about to begin
     */
    public synchronized void stopWith(Runnable action) {
        stop = action;
    }

    /**
     * @return whether the process has been asked to end
     */
    public synchronized boolean interrupted() {
        return interrupted;
    }

    private void stop() {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        try {
            do {
                if (!askToStop()) {
                    return;
                }
            } while (!ended.await(50, TimeUnit.MILLISECONDS) && System.nanoTime() < end);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean askToStop() {
        interrupted = true;
        if (stop == null) {
            progress.close();
            ErrorReport.print(spec, "interrupted");
            return false;
        }
        stop.run();
        return true;
    }

    /** Something else hears of Ctrl-C from now on. */
    public void handOver() {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending, and the hook has just been let go.
        }
    }

    @Override
    public void close() {
        handOver();
    }
}
