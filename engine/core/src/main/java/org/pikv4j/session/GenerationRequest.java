package org.pikv4j.session;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.pikv4j.cache.storage.CacheUsage;
import org.pikv4j.decode.Span;
import org.pikv4j.text.TokenStream;

/**
 * Reads a prompt and continues it. Tokens are drawn on the engine's thread, since the next batch needs them; text goes to
 * the caller's thread through a queue, so that a slow listener slows nobody else down.
 */
final class GenerationRequest extends Request {

    /** What the caller's thread hears. */
    sealed interface Event {
        /** Something for the listener. */
        sealed interface Progress extends Event {
            void tell(GenerationListener listener);
        }

        record Prefill(int done, int total) implements Progress {
            @Override
            public void tell(GenerationListener listener) {
                listener.prefill(done, total);
            }
        }

        record Text(String piece) implements Progress {
            @Override
            public void tell(GenerationListener listener) {
                listener.text(piece);
            }
        }

        record Done(GenerationResult result) implements Event {}

        record Failed(Throwable cause) implements Event {}
    }

    private final GenerationOptions options;
    private final Engine engine;
    private final long seed;
    private final Sampler sampler;
    private final TokenStream stream;
    private final StopMatcher stops;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final StringBuilder text = new StringBuilder();
    private final List<Integer> generated = new ArrayList<>();
    private final List<Long> times = new ArrayList<>(); // nanoTime of each token
    private final long started; // nanoTime of the call
    private final int promptTokens;
    private int drawn = -1;

    GenerationRequest(
            Engine engine,
            Session session,
            int[] prompt,
            TokenStream stream,
            GenerationOptions options,
            long seed,
            long started) {
        super(session);
        this.started = started;
        this.engine = engine;
        this.options = options;
        this.seed = seed;
        this.sampler = new Sampler(options, seed);
        this.stream = stream;
        this.stops = new StopMatcher(options.stopStrings());
        session.tokenList().add(prompt);
        if (remaining() == 0) {
            // Everything is cached, but the logits of the newest token are not kept: it is read once more.
            session.cache().truncate(session.cache().length() - 1);
        }
        promptTokens = remaining();
        events.add(new Event.Prefill(0, promptTokens));
        for (int i = 0; i < session.tokenList().size(); i++) {
            sampler.see(session.tokenList().ids()[i]);
        }
    }

    BlockingQueue<Event> events() {
        return events;
    }

    @Override
    Span.Logits wanted(boolean complete) {
        return complete ? Span.Logits.LAST : Span.Logits.NONE;
    }

    @Override
    void logits(int index, float[] logits, int offset) {
        drawn = sampler.sample(logits, offset, engine.model().config().vocabulary());
    }

    @Override
    boolean advanced() {
        if (remaining() > 0) {
            events.add(new Event.Prefill(promptTokens - remaining(), promptTokens));
            return false;
        }
        if (generated.isEmpty()) {
            events.add(new Event.Prefill(promptTokens, promptTokens));
        }
        times.add(System.nanoTime());
        generated.add(drawn);
        session.tokenList().add(drawn);
        if (options.endTokens().contains(drawn)) {
            return finish(FinishReason.END_TOKEN);
        }
        emit(stops.accept(stream.accept(drawn)));
        if (stops.matched()) {
            return finish(FinishReason.STOP_STRING);
        }
        if (generated.size() >= options.maxTokens()) {
            return finish(FinishReason.MAX_TOKENS);
        }
        if (session.tokenList().size() >= engine.model().config().maxPositions()) {
            return finish(FinishReason.CONTEXT_FULL);
        }
        return false;
    }

    /** The session keeps what it has. */
    @Override
    void abandon() {
        finish(FinishReason.CANCELLED);
    }

    @Override
    void report(Throwable cause) {
        events.add(new Event.Failed(cause));
    }

    private void emit(String piece) {
        if (!piece.isEmpty()) {
            text.append(piece);
            events.add(new Event.Text(piece));
        }
    }

    private boolean finish(FinishReason reason) {
        emit(stops.accept(stream.finish()));
        emit(stops.finish());
        events.add(new Event.Done(new GenerationResult(text.toString(), generated, reason, seed, stats())));
        return true;
    }

    private GenerationStats stats() {
        double[] gaps = new double[Math.max(0, times.size() - 1)];
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] = (times.get(i + 1) - times.get(i)) / 1e9;
        }
        CacheUsage usage = engine.usage();
        long first = times.isEmpty() ? System.nanoTime() : times.getFirst();
        return new GenerationStats(
                promptTokens,
                generated.size(),
                (first - started) / 1e9,
                times.isEmpty() ? 0 : (times.getLast() - first) / 1e9,
                GenerationStats.percentile(gaps, 0.5),
                GenerationStats.percentile(gaps, 0.99),
                usage.heldBytes(),
                usage.openBytes(),
                usage.tier().heldBytes(),
                session.cache().length(),
                session.cache().tokensKept(),
                session.cache().bytes());
    }
}
