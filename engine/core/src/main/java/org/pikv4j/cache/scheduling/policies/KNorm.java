package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;

/**
 * Small keys stay: −‖k‖ (Devoto et al., "A Simple and Effective L2 Norm-Based Strategy for KV Cache Compression", arXiv
 * 2406.11430, §3). Needs neither attention nor queries: in many models a key of small norm draws much attention.
 */
public final class KNorm implements EvictionPolicy {

    @Override
    public String name() {
        return "knorm";
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        float[] keys = tokens.keys();
        for (int i = 0; i < tokens.size(); i++) {
            scores[i] = -(float) Rows.norm(keys, i, tokens.headDim());
        }
    }
}
