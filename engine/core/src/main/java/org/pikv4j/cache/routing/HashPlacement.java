package org.pikv4j.cache.routing;

/**
 * Rendezvous hashing: of all shards that may take more, the one that draws best for this page (Thaler and Ravishankar, "Using
 * Name-Based Mappings to Increase Hit Rates", IEEE/ACM ToN 1998; weights as in Schindelhauer and Schomaker, "Weighted Distributed
 * Hash Tables", SPAA 2005). A shard that is added or drained moves only the pages that it gets or loses.
 *
 * <p>No shard may hold more than its weight's share of all bytes and 4% (bounded loads: Mirrokni, Thorup and Zadimoghaddam, arXiv
 * 1608.01350), one page aside.
 */
public final class HashPlacement implements Placement {
    private static final double BOUND = 1.04;

    @Override
    public String name() {
        return "hash";
    }

    @Override
    public int shard(NewPage page, ShardLoads shards) {
        long all = 0;
        for (int shard = 0; shard < shards.count(); shard++) {
            all += shards.heldBytes(shard);
        }
        long key = key(page);
        int best = -1;
        double bestDraw = 0;
        for (int shard = 0; shard < shards.count(); shard++) {
            // Uniform on (0, 1]; −w / ln u is largest for shard s with probability w_s / Σ w.
            double uniform = Mixing.uniform(Mixing.mixed(key + shard));
            double draw = uniform == 1 ? Double.MAX_VALUE : -shards.weight(shard) / Math.log(uniform);
            boolean room = shards.weight(shard) > 0 && shards.heldBytes(shard) <= BOUND * shards.weight(shard) * all;
            if (room && (best < 0 || draw > bestDraw)) {
                best = shard;
                bestDraw = draw;
            }
        }
        return best; // there is always one that holds no more than its share
    }

    /** A number that is the same for the same page, and looks random. */
    static long key(NewPage page) {
        long head = Mixing.mixed(Mixing.mixed(page.sequence()) + page.layer()) + page.kvHead();
        return Mixing.mixed(Mixing.mixed(head) + page.position());
    }
}
