package org.pikv4j.bench.jmh;

import org.pikv4j.backend.Backend;
import org.pikv4j.bench.FilledCache;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;

/** Caches in the head counts of preset m. */
final class CacheState {
    static final int PAGE_TOKENS = 64;
    static final AttentionSpec SPEC = spec(64);

    private CacheState() {}

    static FilledCache filled(Backend backend, AttentionSpec spec, String form, int tokens, int layers) {
        return new FilledCache(backend, spec, FormSpec.parse(form, BasisSource.NONE), PAGE_TOKENS, tokens, layers);
    }

    /**
     * @return layers that make a working set beyond the last-level cache
     */
    static int layersFor(AttentionSpec spec, String form, int tokens) {
        return Kernels.pieces(bytes(spec, form, tokens));
    }

    /**
     * @return bytes of keys and values that attention reads in one layer
     */
    static long bytes(AttentionSpec spec, String form, int tokens) {
        return FilledCache.bytes(spec, FormSpec.parse(form, BasisSource.NONE), PAGE_TOKENS, tokens);
    }

    /**
     * @param headDim width of a head
     * @return attention in the head counts of preset m
     */
    static AttentionSpec spec(int headDim) {
        return new AttentionSpec(
                16,
                4,
                headDim,
                (float) (1 / Math.sqrt(headDim)),
                AttentionSpec.FULL,
                new RopeSpec(1e6, headDim),
                AttentionSpec.QkNorm.NONE,
                Float.POSITIVE_INFINITY);
    }
}
