package org.pikv4j.cache.control;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.SequenceCache;

/** A page that may be changed, and where all who hold it have it. */
final class HeldPage {
    /** Odd, and large: sums of few small numbers stay apart. */
    private static final long MIXES = 0x9E3779B97F4A7C15L;

    private final int layer;
    private final int head;
    private final List<Place> places = new ArrayList<>(); // one for each sequence
    private Page page;

    /**
     * @param cache a sequence
     * @param index of the page in its table
     * @param token of the table that is the page's first
     */
    record Place(SequenceCache cache, int index, int token) {}

    /**
     * @param page the page
     * @param layer index of its layer
     * @param head index of its KV head
     */
    HeldPage(Page page, int layer, int head) {
        this.page = page;
        this.layer = layer;
        this.head = head;
    }

    Page page() {
        return page;
    }

    int layer() {
        return layer;
    }

    int head() {
        return head;
    }

    List<Place> places() {
        return places;
    }

    /**
     * Gives all who hold it another page.
     *
     * @param same the same tokens in another form
     */
    void exchange(Page same) {
        places.forEach(place -> place.cache().exchange(layer, head, place.index(), same));
        page = same;
        places.getFirst().cache().placer().ifPresent(placer -> placer.reformed(same));
    }

    /**
     * @return which state this is of what those who hold it know of its tokens
     */
    long knowledge() {
        long state = 0;
        for (Place place : places) {
            state = MIXES * state
                    + place.cache().schedule().map(CacheSchedule::knowledge).orElse(0)
                    + 1;
        }
        return state & Long.MAX_VALUE;
    }

    PageTable table(Place place) {
        return place.cache().table(layer, head);
    }

    /**
     * @return tokens that it holds
     */
    int tokens() {
        return page.slotsBefore(page.end());
    }

    /**
     * @return whether a sequence that holds it wants some of its tokens to stay
     */
    boolean covered(Protection protection) {
        return places.stream()
                .anyMatch(place -> protection.coversAny(
                        page.position(), page.end() - 1, place.cache().length()));
    }

    /**
     * @return whether it comes right behind a page, for all who hold either, in the same form
     */
    boolean follows(HeldPage before) {
        if (layer != before.layer
                || head != before.head
                || places.size() != before.places.size()
                || !page.layout().equals(before.page.layout())) {
            return false;
        }
        for (int i = 0; i < places.size(); i++) {
            Place place = before.places.get(i);
            if (places.get(i).cache() != place.cache() || places.get(i).index() != place.index() + 1) {
                return false;
            }
        }
        return true;
    }
}
