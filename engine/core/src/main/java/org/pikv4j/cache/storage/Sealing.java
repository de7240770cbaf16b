package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.compression.PageForm;
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
        int headDim = source.layout().headDim();
        float[] keys = new float[source.layout().tokens() * headDim];
        float[] values = new float[keys.length];
        PageForm open = source.layout().form();
        open.keys().decode(source.layout().keyShape(), source.keys(), headDim, keys);
        open.values().decode(source.layout().valueShape(), source.values(), headDim, values);
        PageForm sealed = target.layout().form();
        if (!sealed.keys().encode(target.layout().keyShape(), keys, headDim, target.keys())
                || !sealed.values().encode(target.layout().valueShape(), values, headDim, target.values())) {
            return false;
        }
        target.copyBounds(source);
        pool.encoded(System.nanoTime() - started);
        if (pool.measuresLoss()) {
            double ofKeys = lost(sealed.keys(), target.layout().keyShape(), target.keys(), keys);
            double ofValues = lost(sealed.values(), target.layout().valueShape(), target.values(), values);
            target.summary().error((ofKeys + ofValues) / 2);
        }
        return true;
    }

    /** |x̂ − x| / |x| of all rows together. */
    private double lost(HalfForm form, HalfShape shape, MemorySegment bytes, float[] rows) {
        float[] decoded = new float[rows.length];
        form.decode(shape, bytes, source.layout().headDim(), decoded);
        double error = 0;
        double norm = 0;
        for (int i = 0; i < rows.length; i++) {
            double difference = decoded[i] - rows[i];
            error += difference * difference;
            norm += (double) rows[i] * rows[i];
        }
        return norm > 0 ? Math.sqrt(error / norm) : 0;
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
