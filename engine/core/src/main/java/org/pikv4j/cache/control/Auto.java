package org.pikv4j.cache.control;

import java.util.Optional;
import java.util.Set;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.scheduling.Replay;
import org.pikv4j.cache.scheduling.Signal;
import org.pikv4j.cache.scheduling.policies.KvZip;
import org.pikv4j.cache.storage.TokenColumns;
import org.pikv4j.model.AttentionSpec;

/**
 * What {@code --kv auto} knows of tokens, and keeps with them: the attention that each received while the model read the text
 * again ({@link KvZip}), and for each layer and KV head what the forms of the {@link Ladder} lose there. The
 * {@link BudgetController} decides by it.
 *
 * <p>A token's score is the error of the output without it. With p its share of the attention and o′ the output of the others,
 * o′ − o = p/(1−p)·(o − v) = p·(o′ − v) exactly; o′ is taken as what the head gives out on average ({@link TokenErrors}).
 */
public final class Auto implements EvictionPolicy {
    /** What it is called. */
    public static final String NAME = "auto";

    private final KvZip attention = new KvZip();

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int columns() {
        return attention.columns();
    }

    @Override
    public int headNumbers(AttentionSpec spec) {
        return Ladder.MOST;
    }

    @Override
    public Set<Signal> signals() {
        return attention.signals();
    }

    @Override
    public Optional<Replay> replay() {
        return attention.replay();
    }

    @Override
    public void observe(TokenColumns columns, ObservedAttention seen) {
        attention.observe(columns, seen);
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        float[] values = tokens.values();
        float[] received = tokens.columns().column(KvZip.MOST);
        TokenErrors errors = new TokenErrors(tokens.headDim());
        for (int i = 0; i < scores.length; i++) {
            errors.see(received[i], values, i);
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] = errors.without(received[i], values, i);
        }
    }
}
