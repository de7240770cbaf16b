package org.pikv4j.cache.scheduling.policies;

import java.util.Optional;
import java.util.Set;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.scheduling.Replay;
import org.pikv4j.cache.scheduling.Signal;
import org.pikv4j.cache.storage.TokenColumns;

/**
 * What the model needs to say the text again (Kim et al., "KVzip: Query-Agnostic KV Cache Compression with Context
 * Reconstruction", arXiv 2505.23416, §3): before an eviction it is told to repeat the context, reads it a second time piece by piece,
 * and each token has the most attention that any query of any head paid to it meanwhile. Whoever can still recite a text can answer
 * questions about it, whatever they are.
 *
 * <p>Reading costs twice, in exchange for the best choice that does not know the question. The paper evicts once, behind the prompt.
 * Where the budget is held while it is read, what came since the last eviction is repeated before each, and a token keeps the most
 * that it ever received; a quarter of the budget is kept free for that. A budget in bytes alone leaves no room to read anything again:
 * nothing is evicted under it. Pieces are as long as a batch allows, where the paper has 2,000
 * tokens.
 */
public final class KvZip implements EvictionPolicy {
    /** The column that has the most attention that each token received while the text was read again. */
    public static final int MOST = 0;

    private static final Replay REPLAY = new Replay("\n\nRepeat the previous context:", 2000, 8);

    @Override
    public String name() {
        return "kvzip";
    }

    @Override
    public int columns() {
        return 1;
    }

    @Override
    public Set<Signal> signals() {
        return Set.of(Signal.PEAK_ATTENTION);
    }

    @Override
    public Optional<Replay> replay() {
        return Optional.of(REPLAY);
    }

    @Override
    public void observe(TokenColumns columns, ObservedAttention seen) {
        float[] most = columns.column(MOST);
        for (int i = 0; i < seen.received().length; i++) {
            most[i] = Math.max(most[i], Attention.orNothing(seen.received()[i]));
        }
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        System.arraycopy(tokens.columns().column(MOST), 0, scores, 0, tokens.size());
    }
}
