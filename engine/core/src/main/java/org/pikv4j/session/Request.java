package org.pikv4j.session;

import java.util.Optional;
import org.pikv4j.decode.AttentionObserver;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.decode.GateRows;
import org.pikv4j.decode.Span;

/**
 * Work of one session that takes part in batches until it is done: it feeds the session's tokens that the cache does not
 * hold yet. All methods run on the engine's thread, except where they say otherwise.
 */
abstract class Request {
    final Session session;
    /** What the session held before, to go back to when the request fails. */
    private final int tokensBefore;

    private final int cachedBefore;
    private Optional<Throwable> failure = Optional.empty();

    Request(Session session) {
        this.session = session;
        this.tokensBefore = session.tokenList().size();
        this.cachedBefore = session.cache().length();
        session.cache().mark();
    }

    /**
     * @return whether the caller has given up
     */
    final boolean abandoned() {
        return session.cancelled() || session.closed();
    }

    /**
     * @return tokens that the cache does not hold yet
     */
    final int remaining() {
        return session.tokenList().size() - session.cache().length();
    }

    /**
     * @param complete whether the span reaches the session's newest token
     * @return which logits it shall compute
     */
    abstract Span.Logits wanted(boolean complete);

    /** Receives the logits of one token of the span just run. */
    abstract void logits(int index, float[] logits, int offset);

    /** The span has been run and is part of the cache; says whether the request is done. */
    abstract boolean advanced();

    /** Passes logits on. */
    final void take(int index, float[] logits, int offset) {
        deliver(() -> logits(index, logits, offset));
    }

    /** The session's observer, at no risk to others. */
    final Optional<AttentionObserver> observer() {
        return session.observer().map(observer -> new AttentionObserver() {
            @Override
            public void observe(AttentionRows rows) {
                deliver(() -> observer.observe(rows));
            }

            @Override
            public void observe(GateRows rows) {
                deliver(() -> observer.observe(rows));
            }
        });
    }

    /** Runs the caller's code. What goes wrong there is this request's failure alone, not that of the whole batch. */
    private void deliver(Runnable delivery) {
        if (failure.isEmpty()) {
            try {
                delivery.run();
            } catch (RuntimeException | Error e) {
                failure = Optional.of(e);
            }
        }
    }

    /**
     * The span has been run and is part of the cache.
     *
     * @return whether the request is done
     */
    final boolean advance() throws Throwable {
        if (failure.isPresent()) {
            throw failure.get();
        }
        return advanced();
    }

    /** The caller has given up. */
    abstract void abandon();

    /** Tells the caller that the request cannot go on. */
    abstract void report(Throwable cause);

    final void fail(Throwable cause) {
        try {
            session.cache().truncate(Math.min(cachedBefore, session.cache().length()));
            session.tokenList().truncate(tokensBefore);
        } finally {
            report(cause); // whatever happened: somebody waits for it
        }
    }
}
