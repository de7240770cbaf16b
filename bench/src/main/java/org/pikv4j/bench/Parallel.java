package org.pikv4j.bench;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** Work on many things at once, with the first failure thrown as it was. */
public final class Parallel {
    private Parallel() {}

    /**
     * @param threads where the work runs
     * @param items the things
     * @param action what to do with each
     */
    public static <T> void forEach(ExecutorService threads, List<T> items, Consumer<T> action) {
        List<? extends Future<?>> futures = items.stream()
                .map(item -> threads.submit(() -> action.accept(item)))
                .toList();
        try {
            for (Future<?> future : futures) {
                future.get();
            }
        } catch (ExecutionException e) {
            threads.shutdownNow();
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
