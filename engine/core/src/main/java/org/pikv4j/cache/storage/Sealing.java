package org.pikv4j.cache.storage;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A full page on its way to its sealed form. Encoding runs wherever the executor lets it; who needs the result before it was
 * begun does the work itself. The page is held until the work is done or found to be unwanted: closing a sequence waits for
 * nothing, and what it leaves behind goes back when the executor comes to it.
 */
final class Sealing {
    private static final Logger LOG = LoggerFactory.getLogger(Sealing.class);

    private final PagePool pool;
    private final Page source;
    private final Page target;
    private final AtomicBoolean begun = new AtomicBoolean();
    private final CompletableFuture<Boolean> encoded = new CompletableFuture<>();

    private Sealing(PagePool pool, Page source, Page target) {
        this.pool = pool;
        this.source = source;
        this.target = target;
    }

    /**
     * Begins. Called by the engine's thread, once for a page.
     *
     * @param pool the page's pool
     * @param page a full page in use that has room for its sealed form
     * @param executor runs the encoding
     */
    static void begin(PagePool pool, Page page, Executor executor) {
        Sealing sealing = new Sealing(pool, page, page.target().orElseThrow());
        page.sealing(sealing);
        pool.retain(page);
        try {
            executor.execute(sealing::work);
        } catch (RejectedExecutionException e) {
            sealing.work();
        }
    }

    /**
     * Gives the work up if it was not begun; what it held is then its caller's to release.
     *
     * @return whether it was given up
     */
    boolean cancel() {
        return begun.compareAndSet(false, true);
    }

    private void work() {
        if (!begun.compareAndSet(false, true)) {
            return;
        }
        boolean stands = false;
        try {
            stands = encode();
        } catch (Throwable t) {
            LOG.warn("A page stays exact: {} failed", target.layout().form().name(), t);
        } finally {
            pool.release(source); // before the result is known: who waits for it may ask who holds the page
            encoded.complete(stands);
        }
    }

    /** Nobody but this sealing holds the page: its sequence has gone on without it. */
    private boolean unwanted() {
        return !pool.shared(source);
    }

    private boolean encode() {
        if (unwanted()) {
            return false;
        }
        long started = System.nanoTime();
        if (!Reencoding.encode(source, target)) {
            return false;
        }
        target.copyBounds(source);
        pool.encoded(System.nanoTime() - started);
        if (pool.measuresLoss()) {
            target.summary().error(Reencoding.lost(source, target));
        }
        return true;
    }

    /**
     * Waits for the result, or works for it.
     *
     * @return whether the sealed page stands; if not, the page stays as it is
     */
    boolean await() {
        work();
        return encoded.join();
    }
}
