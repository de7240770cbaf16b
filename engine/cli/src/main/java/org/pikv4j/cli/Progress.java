package org.pikv4j.cli;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleConsumer;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * A bar on stderr for what takes long. It appears only on a terminal and only after a moment, so that what is quick does
 * not flicker, and it takes itself away: the line is free again when a task is complete. Any thread may call it.
 */
public final class Progress implements AutoCloseable {
    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(400);
    /** Where the terminal's width is not known: this fits nearly all. */
    private static final int USUAL_WIDTH = 72;

    /** Longer bars are no easier to read. */
    private static final int MAX_WIDTH = 100;

    private static final int SHARES = 1000;

    private final boolean shown;
    private String task = "";
    private long started;
    private @Nullable ProgressBar bar;

    private Progress(boolean shown) {
        this.shown = shown;
    }

    /**
     * @return progress on stderr, which shows nothing if that is no terminal
     */
    public static Progress onStderr() {
        return new Progress(Terminal.ERR.present());
    }

    /**
     * @param name the task; a new name begins a new bar
     * @param done so much of it
     * @param total and so much in all; the bar goes away when it is reached
     */
    public synchronized void update(String name, long done, long total) {
        if (!shown) {
            return;
        }
        if (!name.equals(task)) {
            close();
            task = name;
            started = System.nanoTime();
        }
        if (done >= total) {
            close();
        } else if (bar != null) {
            bar.stepTo(done);
        } else if (System.nanoTime() - started > PATIENCE_NANOS) {
            bar = bar(total);
            bar.stepTo(done);
        }
    }

    /**
     * @param name the task
     * @return a listener that hears of the share done, 0 to 1
     */
    public DoubleConsumer shareOf(String name) {
        return share -> update(name, Math.round(share * SHARES), SHARES);
    }

    private ProgressBar bar(long total) {
        boolean unicode = System.err.charset().equals(StandardCharsets.UTF_8);
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total)
                .startsFrom(0, Duration.ofNanos(System.nanoTime() - started))
                .setStyle(unicode ? ProgressBarStyle.UNICODE_BLOCK : ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(100)
                .setConsumer(new ConsoleProgressBarConsumer(System.err, width(Terminal.columns())))
                .clearDisplayOnFinish()
                .build();
    }

    /** One column stays free: a terminal may break the line after a full one. */
    static int width(OptionalInt columns) {
        return columns.isPresent() ? Math.min(columns.getAsInt() - 1, MAX_WIDTH) : USUAL_WIDTH;
    }

    /** Takes the bar away. */
    @Override
    public synchronized void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
        task = "";
    }
}
