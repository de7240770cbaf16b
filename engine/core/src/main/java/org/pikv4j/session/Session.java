package org.pikv4j.session;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.pikv4j.cache.control.KeptPages;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.decode.AttentionObserver;
import org.pikv4j.decode.LogitsSink;
import org.pikv4j.error.ContextLengthException;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.SessionStateException;
import org.pikv4j.model.LoadedModel;

/**
 * One conversation with a model: a sequence of tokens and what the cache remembers of it. Each call continues where the
 * last one ended.
 *
 * <p><b>Threads.</b> A session may be used by any thread, but by one at a time: a call while another is under way throws
 * {@link SessionStateException}. {@link #cancel} alone may be called by any thread at any time. Different sessions of an
 * engine may be used in parallel; their work is batched.
 *
 * <p><b>Failures.</b> A call that throws leaves the session with the tokens that it had before. What a policy forgot of them to
 * make room in the meantime stays forgotten.
 */
public final class Session implements AutoCloseable {
    private final Engine engine;
    private final AtomicBoolean busy = new AtomicBoolean();
    private volatile boolean cancelled; // the call under way
    private volatile boolean closed;
    private volatile Optional<AttentionObserver> observer = Optional.empty();

    // Touched by the engine's thread, or by the caller's while the engine has no request of this session.
    private final TokenList tokens;
    private final SequenceCache cache;

    Session(Engine engine, TokenList tokens, SequenceCache cache) {
        this.engine = engine;
        this.tokens = tokens;
        this.cache = cache;
    }

    /**
     * Continues the text.
     *
     * @param prompt text to append first; with the model's leading special tokens where the session is empty
     * @param options how to continue
     * @param listener hears of text as it becomes certain
     * @return what was generated
     * @throws ContextLengthException if the prompt does not fit the model's positions
     * @throws org.pikv4j.error.KvBudgetExceededException if the cache's budget is used up; the session is as before
     * @throws InvalidOptionException if there is nothing to continue
     */
    public GenerationResult generate(String prompt, GenerationOptions options, GenerationListener listener) {
        long started = System.nanoTime();
        return exclusively(() -> {
            int[] ids = checked(model().tokenizer().encode(prompt, tokens.size() == 0));
            return engine.generate(this, ids, options, listener, started);
        });
    }

    /**
     * Continues the text, without hearing of it as it comes.
     *
     * @see #generate(String, GenerationOptions, GenerationListener)
     */
    public GenerationResult generate(String prompt, GenerationOptions options) {
        return generate(prompt, options, piece -> {});
    }

    /**
     * Continues the tokens.
     *
     * @param prompt ids to append first
     * @see #generate(String, GenerationOptions, GenerationListener)
     */
    public GenerationResult generate(int[] prompt, GenerationOptions options, GenerationListener listener) {
        long started = System.nanoTime();
        int[] ids = checked(prompt);
        return exclusively(() -> engine.generate(this, ids, options, listener, started));
    }

    /**
     * Makes the session hold exactly the given tokens, keeping what the cache already knows of their beginning, and
     * continues them. This is how a conversation that is rendered anew for each turn keeps its cache.
     *
     * @param all the whole sequence
     * @see #generate(String, GenerationOptions, GenerationListener)
     */
    public GenerationResult regenerate(int[] all, GenerationOptions options, GenerationListener listener) {
        long started = System.nanoTime();
        int[] ids = checked(all);
        return exclusively(() -> {
            int common = tokens.commonPrefix(ids);
            engine.call(() -> {
                cache.truncate(Math.min(common, cache.length()));
                tokens.truncate(common);
                return common;
            });
            return engine.generate(this, Arrays.copyOfRange(ids, common, ids.length), options, listener, started);
        });
    }

    /**
     * Appends text to the session and to its cache, without continuing it: what several forks shall begin with.
     *
     * @param text the text; with the model's leading special tokens where the session is empty
     * @throws ContextLengthException if it does not fit the model's positions
     * @throws org.pikv4j.error.KvBudgetExceededException if the cache's budget is used up; the session is as before
     * @throws CancellationException after {@link #cancel}; the session is as before
     */
    public void read(String text) {
        exclusively(() -> {
            int[] ids = checked(model().tokenizer().encode(text, tokens.size() == 0));
            engine.feed(this, ids, Optional.empty());
            return ids;
        });
    }

    /**
     * Appends tokens to the session and to its cache, without continuing them.
     *
     * @param ids the tokens
     * @see #read(String)
     */
    public void read(int[] ids) {
        feed(ids, Optional.empty());
    }

    /**
     * Appends tokens and hands out the next-token logits of each of them.
     *
     * @param ids the tokens
     * @param sink receives the logits, with the index of the token among {@code ids}; runs on the engine's thread, so it
     *     must be quick
     * @throws ContextLengthException if they do not fit the model's positions
     * @throws org.pikv4j.error.KvBudgetExceededException if the cache's budget is used up; the session is as before
     */
    public void logits(int[] ids, LogitsSink sink) {
        feed(ids, Optional.of(sink));
    }

    /**
     * Shows what the model does with this session's tokens from now on, those that it generates included; what the observer
     * throws ends the call that is under way. A token is seen when the model reads it: the last one generated is with the next
     * call. Forks have no observer at first.
     *
     * @param sees sees them, layer by layer and chunk by chunk; none any more where it is empty
     */
    public void observe(Optional<AttentionObserver> sees) {
        exclusively(() -> observer = sees);
    }

    /**
     * @return a session that continues from the same tokens; the cache's pages are shared until either writes to them
     */
    public Session fork() {
        return exclusively(() -> engine.call(() -> engine.adopt(new Session(engine, tokens.copy(), cache.fork()))));
    }

    /**
     * Ends the call that is under way: a generation returns what it has, {@link #read} and {@link #logits} throw a {@link
     * CancellationException} and leave the session as it was. Without a call under way it does nothing. An interrupt of the
     * calling thread does the same.
     */
    public void cancel() {
        cancelled = true;
    }

    /**
     * @return ids of the whole sequence so far
     */
    public int[] tokens() {
        return exclusively(tokens::toArray);
    }

    /**
     * @return bytes of the pages that this session's tables hold in memory, shared ones in full
     */
    public long kvBytes() {
        return exclusively(() -> engine.call(cache::bytes));
    }

    /**
     * @return bytes of those that they hold on the second tier, shared ones in full
     */
    public long tierBytes() {
        return exclusively(() -> engine.call(cache::tierBytes));
    }

    /**
     * @param layer index of a layer
     * @param kvHead index of a KV head
     * @return positions of the tokens that the cache holds there, ascending: all of them where nothing was evicted or left a
     *     window
     */
    public int[] retained(int layer, int kvHead) {
        return exclusively(() -> engine.call(() -> cache.table(layer, kvHead).positions()));
    }

    /**
     * Lets the policy evict at once, whatever the budget.
     *
     * @param count how many tokens stay in each layer and KV head, on average
     * @throws InvalidOptionException if the engine has no policy that evicts, or spends bytes ({@link #shrink}), or that is fewer than
     *     are protected
     */
    public void cut(int count) {
        exclusively(() -> engine.call(() -> {
            engine.cut(this, count);
            return count;
        }));
    }

    /**
     * Lets {@code --kv auto} make the session smaller at once, whatever the budget. Pages that other sessions share stay as they are.
     *
     * @param bytes the most that its pages may take, {@link #kvBytes}
     * @throws InvalidOptionException if something else decides what gives way
     * @throws org.pikv4j.error.KvBudgetExceededException if what must stay takes more; the session is as small as it can be then
     */
    public void shrink(long bytes) {
        exclusively(() -> engine.call(() -> {
            engine.shrink(this, bytes);
            return bytes;
        }));
    }

    /**
     * @return the session's pages by layer, KV head and form, and why {@code --kv auto} has left them as they are; empty where something
     *     else decides
     */
    public List<KeptPages> kept() {
        return exclusively(() -> engine.call(() -> engine.kept(this)));
    }

    /** Ends what is under way and gives the cache's pages back; idempotent. */
    @Override
    public void close() {
        closed = true;
        engine.close(this);
    }

    private void feed(int[] ids, Optional<LogitsSink> sink) {
        int[] prompt = checked(ids);
        exclusively(() -> {
            engine.feed(this, prompt, sink);
            return prompt;
        });
    }

    private <T> T exclusively(Supplier<T> action) {
        if (closed) {
            throw new SessionStateException("the session is closed");
        }
        if (!busy.compareAndSet(false, true)) {
            throw new SessionStateException("the session is in use by another thread");
        }
        cancelled = false;
        try {
            return action.get();
        } finally {
            busy.set(false);
        }
    }

    private int[] checked(int[] ids) {
        int vocabulary = model().config().vocabulary();
        for (int id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new InvalidOptionException(
                        "token id " + id + " is outside the model's vocabulary of " + vocabulary);
            }
        }
        return ids.clone();
    }

    private LoadedModel model() {
        return engine.model();
    }

    TokenList tokenList() {
        return tokens;
    }

    SequenceCache cache() {
        return cache;
    }

    Optional<AttentionObserver> observer() {
        return observer;
    }

    boolean closed() {
        return closed;
    }

    boolean cancelled() {
        return cancelled;
    }
}
