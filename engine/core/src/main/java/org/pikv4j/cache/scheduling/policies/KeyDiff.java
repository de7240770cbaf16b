package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;

/**
 * Keys that differ from the rest stay: −cos(k, mean of the normalised keys) (Park et al., "KeyDiff: Key Similarity-Based KV Cache
 * Eviction for Long-Context LLM Inference in Resource-Constrained Environments", arXiv 2504.15364, §3). Needs no attention, so
 * it works as well while a prompt is read in pieces: what later queries will ask is unknown then, what stands out is not.
 */
public final class KeyDiff implements EvictionPolicy {

    @Override
    public String name() {
        return "keydiff";
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        int width = tokens.headDim();
        float[] keys = tokens.keys();
        double[] norms = new double[tokens.size()];
        double[] mean = new double[width]; // its length does not matter
        for (int i = 0; i < norms.length; i++) {
            norms[i] = Rows.norm(keys, i, width);
            if (norms[i] > 0) {
                Rows.add(keys, i, width, 1 / norms[i], mean);
            }
        }
        for (int i = 0; i < norms.length; i++) {
            scores[i] = norms[i] > 0 ? -(float) (Rows.dot(keys, i, width, mean) / norms[i]) : 0f;
        }
    }
}
