package org.pikv4j.cache.scheduling.policies;

import java.util.List;
import java.util.Optional;
import org.pikv4j.cache.scheduling.CachePolicy;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.cache.storage.TierDirectory;

/** The policies that need no service entry. */
public final class BuiltInPolicies {

    /** All of them, with the options that they have by default. */
    public static final List<CachePolicy> ALL = List.of(
            new PiKv(PiKv.LAMBDA, PiKv.HALF_LIFE, PiKv.COPIES),
            new StreamingLlm(true),
            new H2o(),
            new Tova(),
            new SnapKv(SnapKv.QUERIES, SnapKv.KERNEL),
            new Quest(Quest.READ, Quest.DENSE_LAYERS, Protection.DEFAULT),
            new FlexGen(TierDirectory.DEFAULT),
            new Lru(),
            new LruPlus(LruPlus.LAMBDA),
            new AdaKv(new SnapKv(SnapKv.QUERIES, SnapKv.KERNEL), AdaKv.FLOOR),
            new Pyramid(new SnapKv(SnapKv.QUERIES, SnapKv.KERNEL), Pyramid.FLOOR),
            new Duo(Duo.RETRIEVAL, Optional.empty()),
            new KeyDiff(),
            new KNorm(),
            new ExpectedAttention(ExpectedAttention.QUERIES, ExpectedAttention.FUTURE),
            new KvZip(),
            new FastV(FastV.LAYER, FastV.FLOOR),
            new Chunk(new SnapKv(SnapKv.QUERIES, SnapKv.KERNEL), Chunk.TOKENS));

    private BuiltInPolicies() {}
}
