package org.pikv4j.session;

import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.pikv4j.decode.LogitsSink;
import org.pikv4j.decode.Span;
import org.pikv4j.error.SessionStateException;

/** Feeds tokens, and hands out the logits of all of them to who wants them. */
final class FeedRequest extends Request {
    private final Optional<LogitsSink> sink;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private int base;
    private int seen;

    FeedRequest(Session session, int[] ids, Optional<LogitsSink> sink) {
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
        return sink.isPresent() ? Span.Logits.ALL : Span.Logits.NONE;
    }

    @Override
    void logits(int index, float[] logits, int offset) {
        if (base + index >= 0) {
            int token = base + index;
            sink.ifPresent(receiver -> receiver.accept(0, token, logits, offset));
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

    /** Half of a text is of no use: the session has the tokens that it had before the call. */
    @Override
    void abandon() {
        fail(
                session.closed()
                        ? new SessionStateException("the session was closed")
                        : new CancellationException("the reading was cancelled"));
    }

    @Override
    void report(Throwable cause) {
        done.completeExceptionally(cause);
    }
}
