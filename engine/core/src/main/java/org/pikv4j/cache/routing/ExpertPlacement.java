package org.pikv4j.cache.routing;

/**
 * The shard of the expert that most of the page's tokens chose (PiKV, arXiv 2508.06526, §3.1), expert e having shard e mod G. The
 * paper's own formula, (t mod N_tok) xor (e mod N_exp), leaves the range of shards unless their number is a power of two, and
 * scatters neighbours.
 *
 * <p>Layers without a gate are placed by hash.
 */
public final class ExpertPlacement implements Placement {
    private final Placement withoutGate = new HashPlacement();

    @Override
    public String name() {
        return "expert";
    }

    @Override
    public int shard(NewPage page, ShardLoads shards) {
        int expert = page.expert();
        return expert < 0 ? withoutGate.shard(page, shards) : expert % shards.count();
    }
}
