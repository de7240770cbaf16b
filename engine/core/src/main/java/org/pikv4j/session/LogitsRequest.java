package org.pikv4j.session;

import java.util.concurrent.CompletableFuture;
import org.pikv4j.decode.LogitsSink;
import org.pikv4j.decode.Span;
import org.pikv4j.error.SessionStateException;

/** Feeds tokens and hands out the logits of all of them. */
final class LogitsRequest extends Request {
    private final LogitsSink sink;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private int base;
    private int seen;

    LogitsRequest(Session session, int[] ids, LogitsSink sink) {
        super(session);
        // A token fed for an earlier call alone, the last one generated, has logits that nobody asked for here.
        this.base = session.cache().length() - session.tokenList().size();
        this.sink = sink;
        session.tokenList().add(ids);
    }

    CompletableFuture<Void> done() {
        return done;
    }

    @Override
    Span.Logits wanted(boolean complete) {
        return Span.Logits.ALL;
    }

    @Override
    void logits(int index, float[] logits, int offset) {
        if (base + index >= 0) {
            sink.accept(0, base + index, logits, offset);
        }
        seen = index + 1;
    }

    @Override
    boolean advanced() {
        base += seen;
        if (remaining() > 0) {
            return false;
        }
        done.complete(null);
        return true;
    }

    @Override
    void abandon() {
        done.completeExceptionally(new SessionStateException("the session was closed"));
    }

    @Override
    void report(Throwable cause) {
        done.completeExceptionally(cause);
    }
}
