package org.pikv4j.attention;

import java.util.List;
import java.util.Optional;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.scheduling.AttentionWatcher;

/**
 * Who has a say in what rows of a sequence read, and who wants to know.
 *
 * @param prompt tokens that the sequence began with, for the router
 * @param router chooses what is read; all where there is none
 * @param watchers who want to know
 */
public record Reading(int prompt, Optional<? extends PageRouter> router, List<AttentionWatcher> watchers) {

    /** Everything is read, and nobody wants to know. */
    public static final Reading PLAIN = new Reading(0, Optional.empty(), List.of());

    public Reading {
        watchers = List.copyOf(watchers);
    }
}
