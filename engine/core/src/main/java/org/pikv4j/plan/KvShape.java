package org.pikv4j.plan;

import org.pikv4j.model.AttentionSpec;

/** What one layer keeps of each token. */
public sealed interface KvShape {

    /**
     * @return a query sees this many newest tokens; {@link AttentionSpec#FULL} for all
     */
    int window();

    /**
     * @return numbers of one token
     */
    long elements();

    /**
     * Keys and values per head.
     *
     * @param attention the layer's attention
     */
    record Heads(AttentionSpec attention) implements KvShape {
        @Override
        public int window() {
            return attention.window();
        }

        @Override
        public long elements() {
            return 2L * attention.kvWidth();
        }
    }

    /**
     * One latent for all heads, of which keys and values are expanded, and one rotated key (multi-head latent attention:
     * DeepSeek-V2, arXiv 2405.04434, §2.1).
     *
     * @param latent width of the latent
     * @param rope width of the rotated key
     */
    record Latent(int latent, int rope) implements KvShape {
        @Override
        public int window() {
            return AttentionSpec.FULL;
        }

        @Override
        public long elements() {
            return (long) latent + rope;
        }
    }
}
