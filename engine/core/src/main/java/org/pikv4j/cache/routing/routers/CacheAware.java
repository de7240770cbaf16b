package org.pikv4j.cache.routing.routers;

import java.util.Set;
import org.pikv4j.cache.routing.CacheTerm;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;
import org.pikv4j.extension.OptionValues;

/**
 * The gate, and what the cache knows of itself (PiKVRouter: PiKV, arXiv 2508.06526, §3.2): gate_e − λ·log(1 + miss_e) −
 * μ·error_e + κ·mass_e. So eviction and compression have a say in what is read.
 *
 * <p>Options: {@code lambda}, {@code mu}, {@code kappa}; the defaults are those of {@link CacheTerm}.
 */
final class CacheAware implements ShardRouter {
    private final CacheTerm term;

    CacheAware(CacheTerm term) {
        this.term = term;
    }

    @Override
    public String name() {
        return "cache-aware";
    }

    @Override
    public ShardRouter with(OptionValues options) {
        return new CacheAware(new CacheTerm(
                options.real("lambda", term.lambda(), 0, 1e6),
                options.real("mu", term.mu(), 0, 1e6),
                options.real("kappa", term.kappa(), 0, 1e6)));
    }

    @Override
    public Set<Need> needs() {
        return Set.of(Need.GATE, Need.ATTENTION);
    }

    @Override
    public void score(ShardSignals signals, double[] kept, double[] scores) {
        for (int shard = 0; shard < scores.length; shard++) {
            scores[shard] =
                    signals.gate(shard) + term.of(signals.mass(shard), signals.miss(shard), signals.error(shard));
        }
    }
}
