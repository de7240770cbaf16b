package org.pikv4j.cache.storage;

import java.util.Optional;
import org.pikv4j.cache.routing.SequenceRouting;
import org.pikv4j.cache.scheduling.CacheSchedule;

/**
 * Who decides what becomes of a sequence's pages. Each is the sequence's own.
 *
 * @param schedule keeps it within a budget of its own
 * @param tier where its pages, and those of its forks, may move; closed with the last of them
 * @param placer finds shards for its pages
 * @param routing chooses what its queries read
 */
public record CacheManagers(
        Optional<CacheSchedule> schedule,
        Optional<SecondTier> tier,
        Optional<PagePlacer> placer,
        Optional<SequenceRouting> routing) {

    /** Everything stays where it is, and is read. */
    public static final CacheManagers NONE =
            new CacheManagers(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    /**
     * @param with keeps it within a budget of its own
     */
    public CacheManagers with(CacheSchedule with) {
        return new CacheManagers(Optional.of(with), tier, placer, routing);
    }

    /**
     * @param with where its pages may move
     */
    public CacheManagers with(SecondTier with) {
        return new CacheManagers(schedule, Optional.of(with), placer, routing);
    }

    /**
     * @param with finds shards for its pages
     */
    public CacheManagers with(PagePlacer with) {
        return new CacheManagers(schedule, tier, Optional.of(with), routing);
    }

    /**
     * @param with chooses what its queries read
     */
    public CacheManagers with(SequenceRouting with) {
        return new CacheManagers(schedule, tier, placer, Optional.of(with));
    }

    /** The same for a copy of the sequence. */
    CacheManagers copy() {
        tier.ifPresent(SecondTier::retain);
        return new CacheManagers(
                schedule.map(CacheSchedule::copy),
                tier,
                placer.map(PagePlacer::copy),
                routing.map(SequenceRouting::copy));
    }
}
